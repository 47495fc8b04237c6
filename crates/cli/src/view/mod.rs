//! What lists and documents show: typed rows whose field names are podman's, for JSON and for templates alike.
//!
//! What lodger has no value for keeps podman's empty value, so that a script's field is there.

pub(crate) mod event;
pub(crate) mod history;
pub(crate) mod images;
pub(crate) mod info;
pub(crate) mod inspect_container;
pub(crate) mod inspect_image;
pub(crate) mod inspect_volume;
pub(crate) mod ps;
pub(crate) mod search;
pub(crate) mod secret;
pub(crate) mod stats;
pub(crate) mod usage;
pub(crate) mod version;
