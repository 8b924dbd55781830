//! Files of a run as CSV, as the API makes them.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use crate::client::{Trouble, path};
use crate::door::Visitor;

pub(super) async fn file(visitor: Visitor, Path((run, file)): Path<(String, String)>) -> Result<Response, Trouble> {
    let list = match file.as_str() {
        "lines.csv" => "lines",
        "charges.csv" => "charges",
        "reconciliation.csv" => "reconciliation",
        _ => return Err(Trouble::not_found("file of a run")),
    };
    let content = visitor.api().csv(&path(&["v1", "runs", &run, list])).await?;
    // The run is there, so that its name is one that the service gave.
    let name = format!("attachment; filename=\"{list}-{run}.csv\"");
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, content).into_response())
}
