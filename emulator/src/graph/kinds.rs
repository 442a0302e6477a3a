//! The types of Graph as far as queries need them: which properties exist, and which may be filtered and sorted by.

use super::error::Service;

/// What a property is compared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    Text,
    Flag,
    Time,
    Number,
}

/// A type of the service's model.
#[derive(Debug)]
pub(super) struct Kind {
    /// With its namespace, as errors name it.
    pub(super) name: &'static str,
    /// Who answers queries about it.
    pub(super) service: Service,
    /// Every property that `$select` may name.
    pub(super) properties: &'static [&'static str],
    /// What an answer has without `$select`; empty: everything.
    pub(super) default: &'static [&'static str],
    /// What an answer has with any `$select`.
    pub(super) always: &'static [&'static str],
    /// Paths that `$filter` and `$orderby` may name.
    pub(super) comparable: &'static [(&'static str, Scalar)],
}

impl Kind {
    /// The property of that name, letters exact as in Graph.
    pub(super) fn has(&self, name: &str) -> bool {
        self.properties.contains(&name)
    }

    /// How a path may be compared, if at all.
    pub(super) fn scalar(&self, path: &str) -> Option<Scalar> {
        self.comparable.iter().find(|(p, _)| *p == path).map(|(_, s)| *s)
    }
}

use Scalar::{Flag, Number, Text, Time};

/// A person.
pub(super) static USER: Kind = Kind {
    name: "microsoft.graph.user",
    service: Service::Directory,
    properties: &[
        "accountEnabled",
        "ageGroup",
        "businessPhones",
        "city",
        "companyName",
        "country",
        "createdDateTime",
        "department",
        "displayName",
        "employeeId",
        "employeeType",
        "faxNumber",
        "givenName",
        "id",
        "jobTitle",
        "mail",
        "mailNickname",
        "mobilePhone",
        "officeLocation",
        "onPremisesImmutableId",
        "onPremisesSamAccountName",
        "onPremisesSyncEnabled",
        "otherMails",
        "postalCode",
        "preferredLanguage",
        "proxyAddresses",
        "state",
        "streetAddress",
        "surname",
        "usageLocation",
        "userPrincipalName",
        "userType",
    ],
    default: &[
        "businessPhones",
        "displayName",
        "givenName",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
        "id",
    ],
    always: &[],
    comparable: &[
        ("accountEnabled", Flag),
        ("department", Text),
        ("displayName", Text),
        ("givenName", Text),
        ("id", Text),
        ("jobTitle", Text),
        ("mail", Text),
        ("mailNickname", Text),
        ("officeLocation", Text),
        ("surname", Text),
        ("userPrincipalName", Text),
        ("userType", Text),
    ],
};

/// A group or a directory role.
pub(super) static GROUP: Kind = Kind {
    name: "microsoft.graph.group",
    service: Service::Directory,
    properties: &[
        "createdDateTime",
        "deletedDateTime",
        "description",
        "displayName",
        "groupTypes",
        "id",
        "mail",
        "mailEnabled",
        "mailNickname",
        "roleTemplateId",
        "securityEnabled",
        "visibility",
    ],
    default: &[],
    always: &["@odata.type"],
    comparable: &[
        ("displayName", Text),
        ("id", Text),
        ("mailEnabled", Flag),
        ("securityEnabled", Flag),
        ("roleTemplateId", Text),
    ],
};

/// A message.
pub(super) static MESSAGE: Kind = Kind {
    name: "microsoft.graph.message",
    service: Service::Outlook,
    properties: &[
        "bccRecipients",
        "body",
        "bodyPreview",
        "categories",
        "ccRecipients",
        "changeKey",
        "conversationId",
        "conversationIndex",
        "createdDateTime",
        "flag",
        "from",
        "hasAttachments",
        "id",
        "importance",
        "inferenceClassification",
        "internetMessageId",
        "isDeliveryReceiptRequested",
        "isDraft",
        "isRead",
        "isReadReceiptRequested",
        "lastModifiedDateTime",
        "parentFolderId",
        "receivedDateTime",
        "replyTo",
        "sender",
        "sentDateTime",
        "subject",
        "toRecipients",
        "webLink",
    ],
    default: &[],
    always: &["@odata.etag", "id"],
    comparable: &[
        ("conversationId", Text),
        ("createdDateTime", Time),
        ("from/emailAddress/address", Text),
        ("from/emailAddress/name", Text),
        ("hasAttachments", Flag),
        ("importance", Text),
        ("internetMessageId", Text),
        ("isDraft", Flag),
        ("isRead", Flag),
        ("lastModifiedDateTime", Time),
        ("parentFolderId", Text),
        ("receivedDateTime", Time),
        ("sender/emailAddress/address", Text),
        ("sentDateTime", Time),
        ("subject", Text),
        ("flag/flagStatus", Text),
    ],
};

/// A folder of mail.
pub(super) static FOLDER: Kind = Kind {
    name: "microsoft.graph.mailFolder",
    service: Service::Outlook,
    properties: &[
        "childFolderCount",
        "displayName",
        "id",
        "isHidden",
        "parentFolderId",
        "sizeInBytes",
        "totalItemCount",
        "unreadItemCount",
    ],
    default: &[],
    always: &["id"],
    comparable: &[("displayName", Text), ("totalItemCount", Number), ("unreadItemCount", Number)],
};

/// An event.
pub(super) static EVENT: Kind = Kind {
    name: "microsoft.graph.event",
    service: Service::Outlook,
    properties: &[
        "allowNewTimeProposals",
        "attendees",
        "body",
        "bodyPreview",
        "categories",
        "changeKey",
        "createdDateTime",
        "end",
        "hasAttachments",
        "hideAttendees",
        "iCalUId",
        "id",
        "importance",
        "isAllDay",
        "isCancelled",
        "isDraft",
        "isOnlineMeeting",
        "isOrganizer",
        "isReminderOn",
        "lastModifiedDateTime",
        "location",
        "locations",
        "onlineMeeting",
        "onlineMeetingProvider",
        "onlineMeetingUrl",
        "organizer",
        "originalEndTimeZone",
        "originalStartTimeZone",
        "recurrence",
        "reminderMinutesBeforeStart",
        "responseRequested",
        "responseStatus",
        "sensitivity",
        "seriesMasterId",
        "showAs",
        "start",
        "subject",
        "transactionId",
        "type",
        "webLink",
    ],
    default: &[],
    always: &["@odata.etag", "id"],
    comparable: &[
        ("createdDateTime", Time),
        ("end/dateTime", Text),
        ("importance", Text),
        ("isAllDay", Flag),
        ("isCancelled", Flag),
        ("lastModifiedDateTime", Time),
        ("sensitivity", Text),
        ("showAs", Text),
        ("start/dateTime", Text),
        ("subject", Text),
    ],
};

/// A file or a folder of a drive.
pub(super) static DRIVE_ITEM: Kind = Kind {
    name: "microsoft.graph.driveItem",
    service: Service::Files,
    properties: &[
        "@microsoft.graph.downloadUrl",
        "cTag",
        "createdBy",
        "createdDateTime",
        "eTag",
        "file",
        "fileSystemInfo",
        "folder",
        "id",
        "lastModifiedBy",
        "lastModifiedDateTime",
        "name",
        "parentReference",
        "root",
        "size",
        "webUrl",
    ],
    default: &[],
    always: &["@odata.etag"],
    comparable: &[("lastModifiedDateTime", Time), ("name", Text), ("size", Number)],
};

/// A drive.
pub(super) static DRIVE: Kind = Kind {
    name: "microsoft.graph.drive",
    service: Service::Files,
    properties: &[
        "createdBy",
        "createdDateTime",
        "description",
        "driveType",
        "id",
        "lastModifiedBy",
        "lastModifiedDateTime",
        "name",
        "owner",
        "quota",
        "webUrl",
    ],
    default: &[],
    always: &[],
    comparable: &[],
};

/// The metadata of a photo.
pub(super) static PHOTO: Kind = Kind {
    name: "microsoft.graph.profilePhoto",
    service: Service::Outlook,
    properties: &["height", "id", "width"],
    default: &[],
    always: &["@odata.mediaContentType", "@odata.mediaEtag"],
    comparable: &[],
};

/// A directory.
pub(super) static ORGANIZATION: Kind = Kind {
    name: "microsoft.graph.organization",
    service: Service::Directory,
    properties: &[
        "businessPhones",
        "city",
        "country",
        "countryLetterCode",
        "createdDateTime",
        "displayName",
        "id",
        "postalCode",
        "preferredLanguage",
        "state",
        "street",
        "technicalNotificationMails",
        "tenantType",
        "verifiedDomains",
    ],
    default: &[],
    always: &[],
    comparable: &[],
};
