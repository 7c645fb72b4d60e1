//! What things are called in Redis. All of a tenant's have its hash tag, so that they share a slot.

use crate::messages::Conversation;

/// The messages of a conversation.
pub(in crate::messages) fn history(conversation: &Conversation) -> String {
    let tenant = &conversation.tenant;
    let owner = conversation.owner.to_text();
    format!("{{chat:{tenant}}}:history:{owner}")
}

/// Whose conversation a session is.
pub(in crate::messages) fn session(tenant: &str, session: &str) -> String {
    format!("{{chat:{tenant}}}:session:{session}")
}

/// The tenant's conversations, by the ranks of their last messages.
pub(in crate::messages) fn conversations(tenant: &str) -> String {
    format!("{{chat:{tenant}}}:conversations")
}

/// The visitors of those conversations to whom staff have spoken and who are no proven users.
pub(in crate::messages) fn visitors(tenant: &str) -> String {
    format!("{{chat:{tenant}}}:visitors")
}

/// That no visitor has had a part in a conversation.
pub(in crate::messages) fn nobodys(conversation: &Conversation) -> String {
    let tenant = &conversation.tenant;
    let owner = conversation.owner.to_text();
    format!("{{chat:{tenant}}}:nobodys:{owner}")
}

/// The tenant's latest messages.
pub(in crate::messages) fn recent(tenant: &str) -> String {
    format!("{{chat:{tenant}}}:recent")
}

/// When the tenant's latest named messages were taken in.
pub(in crate::messages) fn receipts(tenant: &str) -> String {
    format!("{{chat:{tenant}}}:receipts")
}

/// The channel of what is said in a tenant, for nodes with admins.
pub(in crate::messages) fn channel(tenant: &str) -> String {
    format!("{{chat:{tenant}}}:messages")
}

/// The tenant of such a channel.
pub(in crate::messages) fn tenant_of(channel: &str) -> Option<&str> {
    channel.strip_prefix("{chat:")?.strip_suffix("}:messages")
}

/// The channel of what is sent to one node.
pub(in crate::messages) fn node_channel(node: &str) -> String {
    format!("chat:node:{node}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_names_its_tenant_and_nothing_else_does() {
        assert_eq!(tenant_of(&channel("a b")), Some("a b"));
        for other in [
            "{chat:a}:recent",
            &node_channel("n"),
            "{online_users:a}:events",
        ] {
            assert_eq!(tenant_of(other), None);
        }
    }
}
