//! The list of providers. A channel knows one provider's language whole; it does no I/O, and no
//! channel knows another. What two of them share is in `kit`.

mod kit;
pub mod simulator;
pub mod whatsapp_meta;

use crate::ports::channel::Channel;

/// Every provider, one line each. A test compares this list with the folder.
pub static ALL: &[&dyn Channel] = &[&simulator::Simulator, &whatsapp_meta::WhatsappMeta];

/// The channel that an endpoint's `provider` names.
pub fn by_name(name: &str) -> Option<&'static dyn Channel> {
    ALL.iter().copied().find(|channel| channel.name() == name)
}
