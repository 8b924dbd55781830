//! All mappings as a file: fetched, changed in a spreadsheet, sent back; looked at before it counts.
//!
//! What is imported is what was looked at: the file comes a second time, and has to be the same by its digest. With htmx the
//! browser still has it; without, it is chosen again.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use sha2::{Digest as _, Sha256};

use crate::client::told::connection::Connection;
use crate::client::told::mapping::{Changes, Imported, RowChange};
use crate::client::{Trouble, path, with_query};
use crate::door::{PostedFile, Visitor};
use crate::pages::connection;
use crate::view::page::Page;
use crate::view::{counted, field, table};

fn here(id: &str) -> String {
    path(&["console", "connections", id, "mappings"])
}

fn in_api(id: &str) -> String {
    path(&["v1", "connections", id, "mappings.csv"])
}

pub(super) async fn show(visitor: Visitor, Path(id): Path<String>) -> Result<Markup, Trouble> {
    let connection = connection(&visitor.api(), &id).await?;
    Ok(page(&visitor, &connection, &html! { div id="outcome" role="status" {} }))
}

fn page(visitor: &Visitor, connection: &Connection, outcome: &Markup) -> Markup {
    let here = here(&connection.id);
    Page::of(visitor, connection, "/companies", "Mappings as a file").with(&html! {
        p { "One CSV file has the mappings of all products and companies. Fetch it, change it in a spreadsheet, and send it back. "
            "Have the spreadsheet take the columns as text, or it spoils ids and dates." }
        p { a.button href={ (here) ".csv" } { "Download mappings.csv" } }
        @if visitor.may_change() {
            h2 { "Send a file" }
            ul {
                li { "All of it counts, or nothing: one fault, and no row is taken." }
                li { "What the file does not name stays as it is. Nothing is removed, but for products that a company's rows leave out." }
                li { "It is checked first, with the PSA as well, and you see each change before it counts." }
            }
            form.stacked id="upload" method="post" action=(here) enctype="multipart/form-data" hx-post=(here)
                hx-encoding="multipart/form-data" hx-select="#outcome" hx-target="#outcome" hx-swap="outerHTML" {
                (field::ours(visitor))
                div.field { label for="file" { "The file" } input type="file" id="file" name="file" accept=".csv,text/csv" required; }
                p { button type="submit" name="step" value="check" { "Check it" } }
            }
            (outcome)
        }
    })
}

pub(super) async fn download(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Trouble> {
    let file = visitor.api().csv(&in_api(&id)).await?;
    let name = format!(
        "attachment; filename=\"mappings-{}.csv\"",
        id.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-")
    );
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, name.as_str())], file)
        .into_response())
}

pub(super) async fn take(Path(id): Path<String>, headers: HeaderMap, posted: PostedFile) -> Result<Response, Trouble> {
    let PostedFile { visitor, fields, file } = posted;
    let api = visitor.api();
    let connection = connection(&api, &id).await?;
    let digest = digest(&file);
    if fields.get("step") == "import" {
        if fields.get("checked") != digest {
            let other = html! { p { "This is not the file that was checked. Check it first." } };
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&visitor, &connection, &told(&other))).into_response());
        }
        return match api.upload::<Imported>(&in_api(&id), file).await {
            Ok(_) => Ok(imported(&id, headers.contains_key("hx-request"))),
            Err(trouble) => faulty(&visitor, &connection, trouble),
        };
    }
    match api.upload::<Imported>(&with_query(&in_api(&id), &[("dry_run", Some("true"))]), file).await {
        Ok(checked) => Ok(page(&visitor, &connection, &told(&weighed(&checked, &digest))).into_response()),
        Err(trouble) => faulty(&visitor, &connection, trouble),
    }
}

/// Back to the companies. The browser itself would follow a redirect for htmx and hide where it leads.
fn imported(id: &str, htmx: bool) -> Response {
    let to = format!("/console/connections/{id}/companies?done=imported");
    if htmx { [("hx-redirect", to)].into_response() } else { Redirect::to(&to).into_response() }
}

fn digest(file: &Bytes) -> String {
    hex::encode(Sha256::digest(file))
}

fn told(said: &Markup) -> Markup {
    html! { div id="outcome" role="status" { (said) } }
}

fn faulty(visitor: &Visitor, connection: &Connection, trouble: Trouble) -> Result<Response, Trouble> {
    if !trouble.can_be_mended() {
        return Err(trouble);
    }
    let rows = html! { @for fault in &trouble.errors { tr { td { (fault.detail) } } } };
    let said = html! {
        div.trouble {
            p { strong { (trouble.detail) } " Nothing was changed." }
            @if let Some(fix) = &trouble.fix { p { (fix) } }
        }
        @if !trouble.errors.is_empty() { (table::table("Faults of the file", &["Where, and what is wrong"], &rows)) }
    };
    Ok((trouble.status, page(visitor, connection, &told(&said))).into_response())
}

fn weighed(checked: &Imported, digest: &str) -> Markup {
    let news = checked.created + checked.changed;
    html! {
        h2 { "What it would change" }
        @if news == 0 {
            p { "Nothing: " (counted(checked.unchanged, "mapping is", "mappings are")) " as the file says already." }
        } @else {
            p { "The file is sound. It would make " strong { (counted(checked.created, "new mapping", "new mappings")) } " and change "
                strong { (checked.changed) } "; " (checked.unchanged) " stay as they are. No unit is written before the next sync." }
            @if let Some(changes) = &checked.changes { (changed(changes)) }
            div.row {
                input type="hidden" name="checked" value=(digest) form="upload";
                button type="submit" name="step" value="import" form="upload" { "Import " (counted(news, "mapping", "mappings")) }
                noscript { "Choose the same file again above before you press this." }
            }
        }
    }
}

fn changed(changes: &Changes) -> Markup {
    let rows = html! { @for change in &changes.rows { (row(change)) } };
    html! {
        (table::table("Changes by row", &["#Row", "What", "Of", "Changes"], &rows))
        @if changes.more { p.small { "These are the first of " (changes.total) " rows that change something." } }
    }
}

fn row(change: &RowChange) -> Markup {
    let RowChange { row, r#type: kind, company, product, what, fields } = change;
    html! { tr {
        td.number { (row) }
        td { (kind) " " (what) }
        td { @for (number, name) in company.iter().chain(product).enumerate() { @if number > 0 { " · " } code { (name) } } }
        td { ul.plain { @for field in fields { li { (field.field) ": "
            (shown(&field.from)) " → " (shown(&field.to)) } } } }
    } }
}

fn shown(value: &str) -> Markup {
    html! { @if value.is_empty() { "nothing" } @else { code { (value) } } }
}
