//! Which permission each resource needs, as a table. Source: the "Permissions" section of each page of the Graph
//! reference, and "Microsoft Graph permissions reference".

use super::error::Service;

/// Any one of the names is enough.
pub(super) struct Permission {
    /// Delegated scopes for what belongs to the signed-in user.
    pub(super) own: &'static [&'static str],
    /// Delegated scopes for what belongs to anybody; also good for the user's own.
    pub(super) others: &'static [&'static str],
    /// Application roles.
    pub(super) application: &'static [&'static str],
    /// Who refuses.
    pub(super) service: Service,
}

use Service::{Directory, Files, Outlook};

const fn table(
    service: Service,
    own: &'static [&'static str],
    others: &'static [&'static str],
    application: &'static [&'static str],
) -> Permission {
    Permission { own, others, application, service }
}

/// `/me`, `/users/{id}`.
pub(super) const PROFILE: Permission = table(
    Directory,
    &["User.Read"],
    &["User.ReadBasic.All", "User.Read.All", "Directory.Read.All"],
    &["User.ReadBasic.All", "User.Read.All", "Directory.Read.All"],
);

/// All properties of anybody, not only names and addresses.
pub(super) const FULL_PROFILE: Permission = table(
    Directory,
    &["User.Read"],
    &["User.Read.All", "Directory.Read.All"],
    &["User.Read.All", "Directory.Read.All"],
);

/// Photos, which Outlook keeps.
pub(super) const PHOTO: Permission =
    table(Outlook, &["User.Read"], &["User.ReadBasic.All", "User.Read.All"], &["User.Read.All"]);

/// `memberOf`, `transitiveMemberOf`, `getMemberObjects`.
pub(super) const MEMBERSHIP: Permission = table(
    Directory,
    &["User.Read"],
    &["User.Read.All", "GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"],
    &["User.Read.All", "GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"],
);

/// `/groups`, and the properties of groups in `memberOf`.
pub(super) const GROUPS: Permission = table(
    Directory,
    &[],
    &["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"],
    &["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"],
);

/// `/organization`, with its name and domains only.
pub(super) const ORGANIZATION_BASIC: Permission = table(
    Directory,
    &[],
    &["User.Read", "User.Read.All", "Organization.Read.All", "Directory.Read.All"],
    &["Organization.Read.All", "Directory.Read.All"],
);

/// `/organization`, all of it.
pub(super) const ORGANIZATION: Permission = table(
    Directory,
    &[],
    &["Organization.Read.All", "Directory.Read.All"],
    &["Organization.Read.All", "Directory.Read.All"],
);

// A delegated token reads the user's own mailbox only: the emulated mailboxes are shared with nobody.

/// Reading mail.
pub(super) const MAIL: Permission =
    table(Outlook, &["Mail.Read", "Mail.ReadWrite"], &[], &["Mail.Read", "Mail.ReadWrite"]);

/// Changing and deleting mail.
pub(super) const MAIL_WRITE: Permission = table(Outlook, &["Mail.ReadWrite"], &[], &["Mail.ReadWrite"]);

/// Sending mail.
pub(super) const MAIL_SEND: Permission = table(Outlook, &["Mail.Send"], &[], &["Mail.Send"]);

/// Reading calendars.
pub(super) const CALENDAR: Permission = table(
    Outlook,
    &["Calendars.Read", "Calendars.ReadWrite"],
    &[],
    &["Calendars.Read", "Calendars.ReadWrite"],
);

/// Changing calendars.
pub(super) const CALENDAR_WRITE: Permission =
    table(Outlook, &["Calendars.ReadWrite"], &[], &["Calendars.ReadWrite"]);

/// Reading files.
pub(super) const FILES: Permission = table(
    Files,
    &["Files.Read", "Files.ReadWrite", "Files.Read.All", "Files.ReadWrite.All"],
    &[],
    &["Files.Read.All", "Files.ReadWrite.All"],
);

/// Changing files.
pub(super) const FILES_WRITE: Permission =
    table(Files, &["Files.ReadWrite", "Files.ReadWrite.All"], &[], &["Files.ReadWrite.All"]);
