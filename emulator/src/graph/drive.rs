//! OneDrive: `/me/drive`, `/drives/{id}`, items by id or by path, content. Source: Graph reference, "Working with files".

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::{Call, Reply};
use super::collection::{Collection, entity, with_context};
use super::download;
use super::drive_items as items;
use super::error::{GraphError, Service};
use super::fields;
use super::kinds::{DRIVE, DRIVE_ITEM};
use super::mail::with;
use super::mailboxes::{Entry, has_mailbox};
use super::people::Owner;
use super::permissions::{FILES, FILES_WRITE, Permission};
use crate::registrations::User;

/// What follows `drive`.
pub(super) fn answer(call: &Call<'_>, owner: &Owner, rest: &[&str]) -> Result<Reply, GraphError> {
    let Some((first, rest)) = rest.split_first() else { return drive(call, owner) };
    match first.to_ascii_lowercase().as_str() {
        "root" => on_item(call, owner, Address { id: None, path: vec![] }, rest),
        "root:" => by_path(call, owner, None, rest),
        "items" => match rest {
            [id, rest @ ..] if id.ends_with(':') => {
                by_path(call, owner, Some(id.trim_end_matches(':').to_owned()), rest)
            }
            [id, rest @ ..] => {
                let id = Some((*id).to_owned()).filter(|id| !id.eq_ignore_ascii_case("root"));
                on_item(call, owner, Address { id, path: vec![] }, rest)
            }
            [] => Err(call.no_such_path("items")),
        },
        _ => Err(call.no_such_path(first)),
    }
}

/// `/drives/{id}`: the drive of a user of the directory, which only its owner and applications can see.
pub(super) fn by_drive_id(call: &Call<'_>, id: &str, rest: &[&str]) -> Result<Reply, GraphError> {
    let tenant = call.caller.tenant();
    let users = call.registrations.users.iter().filter(|u| Some(u.tenant) == tenant);
    let found = users.into_iter().find(|u| items::drive_id(u.id) == id);
    // Whoever may not read files at all must not learn which drives exist.
    call.caller.need(&FILES, true)?;
    let user = found.ok_or(GraphError::NoSuchItem(Service::Files))?;
    answer(call, &Owner::Named(user.id.to_string()), rest)
}

fn owner_of<'a>(call: &'a Call<'_>, owner: &Owner, permission: &Permission) -> Result<&'a User, GraphError> {
    let user = owner.find(call, permission)?;
    if has_mailbox(user) { Ok(user) } else { Err(GraphError::NoDrive) }
}

fn drive(call: &Call<'_>, owner: &Owner) -> Result<Reply, GraphError> {
    call.only(&Method::GET, "GET")?;
    let user = owner_of(call, owner, &FILES)?;
    let drive = with(call, user, |mailbox| {
        let used = mailbox.files.iter().filter_map(|f| f.content.as_ref()).map(Vec::len).sum();
        items::drive(user, mailbox.opened, used)
    });
    entity(call, &DRIVE, "drives", drive)
}

/// An item by id (None: the root), then by names below it.
struct Address {
    id: Option<String>,
    path: Vec<String>,
}

/// `root:/folder/file.txt:/content`: names up to a colon.
fn by_path(call: &Call<'_>, owner: &Owner, id: Option<String>, rest: &[&str]) -> Result<Reply, GraphError> {
    let end = rest.iter().position(|segment| segment.ends_with(':')).map_or(rest.len(), |at| at + 1);
    let (names, rest) = rest.split_at(end);
    let path = names.iter().map(|name| name.trim_end_matches(':').to_owned());
    let path = path.filter(|name| !name.is_empty()).collect();
    on_item(call, owner, Address { id, path }, rest)
}

fn on_item(call: &Call<'_>, owner: &Owner, address: Address, rest: &[&str]) -> Result<Reply, GraphError> {
    let permission = if call.method == Method::GET { &FILES } else { &FILES_WRITE };
    let user = owner_of(call, owner, permission)?;
    let files = with(call, user, |mailbox| mailbox.files.clone());
    let view = View { call, user, files: &files };
    let lower: Vec<String> = rest.iter().map(|word| word.to_ascii_lowercase()).collect();
    let words: Vec<&str> = lower.iter().map(String::as_str).collect();
    match (words.as_slice(), &call.method) {
        ([], &Method::GET) => {
            let item = view.show(&view.id_of(&address)?)?;
            entity(call, &DRIVE_ITEM, &view.context("items"), item)
        }
        ([], &Method::DELETE) => view.delete(&view.id_of(&address)?),
        ([], _) => Err(call.not_allowed("GET, DELETE")),
        (["children"], &Method::GET) => view.children(&view.id_of(&address)?, false),
        (["children", "$count"], &Method::GET) => view.children(&view.id_of(&address)?, true),
        (["children"], &Method::POST) => view.make_folder(&view.id_of(&address)?),
        (["children"], _) => Err(call.not_allowed("GET, POST")),
        (["content"], &Method::GET) => view.content(&view.id_of(&address)?),
        (["content"], &Method::PUT) => view.put(&address),
        (["content"], _) => Err(call.not_allowed("GET, PUT")),
        _ => Err(call.no_such_path(rest.first().copied().unwrap_or_default())),
    }
}

/// The files of a user as they were when the request began.
struct View<'a> {
    call: &'a Call<'a>,
    user: &'a User,
    files: &'a [Entry],
}

impl View<'_> {
    fn context(&self, of: &str) -> String {
        format!("users('{}')/drive/{of}", self.user.id)
    }

    fn entry(&self, id: &str) -> Option<&Entry> {
        self.files.iter().find(|entry| entry.item["id"] == id)
    }

    fn inside(&self, parent: &str) -> impl Iterator<Item = &Entry> {
        self.files.iter().filter(move |entry| entry.item["parentReference"]["id"] == parent)
    }

    fn named(&self, parent: &str, name: &str) -> Option<&Entry> {
        let same = |entry: &&Entry| {
            entry.item["name"].as_str().is_some_and(|n| n.to_lowercase() == name.to_lowercase())
        };
        self.inside(parent).find(same)
    }

    fn is_folder(&self, id: &str) -> bool {
        id == items::root_id(self.user.id) || self.entry(id).is_some_and(|e| e.content.is_none())
    }

    fn id_of(&self, address: &Address) -> Result<String, GraphError> {
        let missing = GraphError::NoSuchItem(Service::Files);
        let mut id = address.id.clone().unwrap_or_else(|| items::root_id(self.user.id));
        if !self.is_folder(&id) && self.entry(&id).is_none() {
            return Err(missing);
        }
        for name in &address.path {
            let next = self.named(&id, name).ok_or_else(|| missing.clone())?;
            id = next.item["id"].as_str().unwrap_or_default().to_owned();
        }
        Ok(id)
    }

    /// The item with what depends on its place: path, size and number of children, where to download it.
    fn show(&self, id: &str) -> Result<Value, GraphError> {
        let root = items::root_id(self.user.id);
        let mut item = match self.entry(id) {
            Some(entry) => entry.item.clone(),
            None if id == root => {
                let opened = with(self.call, self.user, |mailbox| mailbox.opened);
                let mut item = items::item(self.user, &root, "", "root", opened, None);
                item["root"] = json!({});
                item
            }
            None => return Err(GraphError::NoSuchItem(Service::Files)),
        };
        let parent = item["parentReference"]["id"].as_str().unwrap_or_default().to_owned();
        match parent.as_str() {
            "" => {
                let drive = items::drive_id(self.user.id);
                item["parentReference"] = json!({ "driveType": "business", "driveId": drive });
            }
            parent => {
                item["parentReference"]["name"] =
                    self.entry(parent).map_or("root".into(), |entry| entry.item["name"].clone());
                item["parentReference"]["path"] = self.path(parent).into();
            }
        }
        if self.is_folder(id) {
            item["folder"] = json!({ "childCount": self.inside(id).count() });
            item["size"] = self.size(id, 0).into();
        } else {
            item["@microsoft.graph.downloadUrl"] = download::link(self.call, self.user, id).into();
        }
        Ok(item)
    }

    fn path(&self, folder: &str) -> String {
        match self.entry(folder) {
            None => format!("/drives/{}/root:", items::drive_id(self.user.id)),
            Some(entry) => {
                let above = self.path(entry.item["parentReference"]["id"].as_str().unwrap_or_default());
                format!("{above}/{}", entry.item["name"].as_str().unwrap_or_default())
            }
        }
    }

    fn size(&self, folder: &str, depth: usize) -> usize {
        let sizes = self.inside(folder).map(|entry| match &entry.content {
            Some(content) => content.len(),
            None if depth < MAX_DEPTH => self.size(entry.item["id"].as_str().unwrap_or_default(), depth + 1),
            None => 0,
        });
        sizes.sum()
    }

    fn children(&self, id: &str, raw_count: bool) -> Result<Reply, GraphError> {
        let ids = self.inside(id).filter_map(|entry| entry.item["id"].as_str());
        let mut rows = ids.map(|id| self.show(id)).collect::<Result<Vec<_>, _>>()?;
        rows.sort_by_key(|item| item["name"].as_str().unwrap_or_default().to_lowercase());
        let context = self.context(&format!("items('{id}')/children"));
        Collection::new(context, &DRIVE_ITEM, rows).answer(self.call, raw_count)
    }

    /// The content is fetched elsewhere, without the token.
    fn content(&self, id: &str) -> Result<Reply, GraphError> {
        if self.is_folder(id) {
            return Err(GraphError::FilesRequest("A folder has no content.".into()));
        }
        let link = download::link(self.call, self.user, id);
        Ok(Reply::empty(StatusCode::FOUND).with("location", link))
    }

    fn delete(&self, id: &str) -> Result<Reply, GraphError> {
        if id == items::root_id(self.user.id) {
            return Err(GraphError::FilesRequest("The root cannot be deleted.".into()));
        }
        let mut doomed = vec![id.to_owned()];
        let mut at = 0;
        while let Some(folder) = doomed.get(at).cloned() {
            doomed.extend(self.inside(&folder).filter_map(|e| e.item["id"].as_str().map(str::to_owned)));
            at += 1;
        }
        with(self.call, self.user, |mailbox| doomed.iter().for_each(|id| mailbox.remove(id)));
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    }

    fn make_folder(&self, parent: &str) -> Result<Reply, GraphError> {
        let mut body = self.call.object()?;
        let name = fields::text("name", fields::take(&mut body, "name").unwrap_or_default())
            .map_err(|_| GraphError::FilesRequest("A folder needs a name.".into()))?;
        if !body.get("folder").is_some_and(Value::is_object) {
            return Err(GraphError::FilesRequest("Only folders are made without content.".into()));
        }
        self.check_place(parent, &name)?;
        if self.named(parent, &name).is_some() {
            return Err(GraphError::FilesRequest(format!("The name '{name}' is taken.")));
        }
        self.store(parent, &name, None, items::item_id(Uuid::new_v4(), "folder"))
    }

    fn put(&self, address: &Address) -> Result<Reply, GraphError> {
        let content = Some(self.call.body.to_vec());
        let Some((name, above)) = address.path.split_last() else {
            // By id: the item must be there.
            let id = self.id_of(address)?;
            let Some(entry) = self.entry(&id).filter(|entry| entry.content.is_some()) else {
                return Err(GraphError::FilesRequest("A folder has no content.".into()));
            };
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let parent = text(&entry.item["parentReference"]["id"]);
            return self.store(&parent, &text(&entry.item["name"]), content, id);
        };
        let parent = self.id_of(&Address { id: address.id.clone(), path: above.to_vec() })?;
        self.check_place(&parent, name)?;
        match self.named(&parent, name) {
            Some(old) if old.content.is_none() => {
                Err(GraphError::FilesRequest("A folder has no content.".into()))
            }
            Some(old) => {
                let id = old.item["id"].as_str().unwrap_or_default().to_owned();
                self.store(&parent, name, content, id)
            }
            None => self.store(&parent, name, content, items::item_id(Uuid::new_v4(), "file")),
        }
    }

    fn check_place(&self, parent: &str, name: &str) -> Result<(), GraphError> {
        if !self.is_folder(parent) {
            return Err(GraphError::NoSuchItem(Service::Files));
        }
        let depth = self.path(parent).matches('/').count();
        let odd = |c: char| c.is_control() || "\"*:<>?/\\|".contains(c);
        match name.is_empty() || name.len() > 255 || name.contains(odd) || depth > MAX_DEPTH {
            true => Err(GraphError::FilesRequest(format!("'{name}' cannot be a name here."))),
            false => Ok(()),
        }
    }

    fn store(
        &self,
        parent: &str,
        name: &str,
        content: Option<Vec<u8>>,
        id: String,
    ) -> Result<Reply, GraphError> {
        let status = if self.entry(&id).is_some() { StatusCode::OK } else { StatusCode::CREATED };
        let now = self.call.state.clock.now().0;
        let item = items::item(self.user, &id, parent, name, now, content.as_deref());
        let files = with(self.call, self.user, |mailbox| {
            mailbox.remove(&id);
            mailbox.add_file(Entry { item, content });
            mailbox.files.clone()
        });
        let view = View { call: self.call, user: self.user, files: &files };
        let context = self.call.context(&format!("{}/$entity", self.context("items")));
        Ok(Reply::json_with(status, with_context(context, view.show(&id)?)))
    }
}

/// How deep folders may lie in one another.
const MAX_DEPTH: usize = 30;
