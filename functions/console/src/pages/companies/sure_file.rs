//! The files by which all that is sure is asked for and taken.

use std::collections::BTreeMap;

use axum::body::Bytes;
use shared::api::Fault;
use shared::api::sheet::{CUT_SHORT, as_text, text};

use crate::client::Trouble;

/// A company with the account that it surely is. Without a contract nobody can say on which it is billed.
#[derive(Debug, Clone)]
pub(super) struct Sure {
    pub(super) company: String,
    pub(super) name: String,
    pub(super) account: String,
    pub(super) account_name: String,
    pub(super) contract: String,
}

/// The first row below the header, as spreadsheets count.
pub(super) const FIRST_ROW: usize = 2;

/// What was refused, by row.
pub(super) fn faults(trouble: &Trouble) -> BTreeMap<usize, String> {
    let of = |fault: &Fault| {
        let row = fault.pointer.strip_prefix("/rows/")?.split('/').next()?.parse().ok()?;
        let detail = fault.detail.split_once(": ").map_or(fault.detail.as_str(), |(_, detail)| detail);
        Some((row, detail.to_owned()))
    };
    trouble.errors.iter().filter_map(of).collect()
}

/// A file of suggestions, as far as it is looked at.
pub(super) struct Found {
    pub(super) sure: Vec<Sure>,
    /// Whether there are more suggestions than an answer has room for.
    pub(super) cut_short: bool,
}

pub(super) fn found_in(file: &Bytes) -> Result<Found, Trouble> {
    let mut reader = csv::Reader::from_reader(file.as_ref());
    let header = reader.headers().map_err(Trouble::ours)?.clone();
    let place = |name: &str| header.iter().position(|column| column == name);
    let [company, name, account, account_name, contract, sure] =
        ["company", "company_name", "account_id", "account_name", "contract_id", "sure"].map(place);
    let mut found = Found { sure: Vec::new(), cut_short: false };
    for row in reader.records() {
        let row = row.map_err(Trouble::ours)?;
        let cell = |at: Option<usize>| text(at.and_then(|at| row.get(at)).unwrap_or_default()).to_owned();
        match cell(sure).as_str() {
            "true" => {
                let (company, name) = (cell(company), cell(name));
                let name = if name.is_empty() { company.clone() } else { name };
                let (account, account_name, contract) = (cell(account), cell(account_name), cell(contract));
                found.sure.push(Sure { company, name, account, account_name, contract });
            }
            "" if row.get(0) == Some(CUT_SHORT) => found.cut_short = true,
            _ => {}
        }
    }
    Ok(found)
}

/// A file that maps them.
pub(super) fn sheet(all: &[Sure]) -> Result<Bytes, Trouble> {
    let columns = mappings::csv_header();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns).map_err(Trouble::ours)?;
    for one in all {
        let row = columns.map(|column| match column {
            "type" => "company".to_owned(),
            "company" => as_text(&one.company),
            "account_id" => as_text(&one.account),
            "contract_id" => as_text(&one.contract),
            _ => String::new(),
        });
        writer.write_record(row).map_err(Trouble::ours)?;
    }
    writer.into_inner().map(Bytes::from).map_err(Trouble::ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sure_is_read_from_one_file_and_put_into_another() {
        let file = "company,company_name,products,account_id,account_name,contract_id,match,score,sure,evidence,alternatives\n\
                    a,\"Acme, Ltd\",edr,7,Acme,70,name,960,true,,\nb,,edr,8,Beta,,name,960,true,,\nc,,edr,9,C,90,similar,500,false,,\n";
        let Found { sure: found, cut_short } = found_in(&Bytes::from(file)).unwrap();
        assert!(!cut_short);
        let told: Vec<_> = found.iter().map(|one| [&*one.company, &*one.name, &*one.account, &*one.contract]).collect();
        assert_eq!(told, [["a", "Acme, Ltd", "7", "70"], ["b", "b", "8", ""]]);
        let sheet = sheet(&found).unwrap();
        let rows: Vec<&str> = std::str::from_utf8(&sheet).unwrap().lines().skip(1).collect();
        assert!(rows[0].starts_with("company,a,,7,70,,"), "{rows:?}");
    }

    #[test]
    fn whoever_looks_like_a_formula_is_the_same_in_both_files() {
        for company in ["@acme", "'=acme", "=acme"] {
            let file = format!("company,account_id,contract_id,sure\n{},7,70,true\n", as_text(company));
            let found = found_in(&Bytes::from(file)).unwrap().sure;
            assert_eq!(found[0].company, company);
            let sheet = sheet(&found).unwrap();
            let row = std::str::from_utf8(&sheet).unwrap().lines().nth(1).unwrap();
            assert_eq!(text(row.split(',').nth(1).unwrap()), company);
        }
    }

    #[test]
    fn a_file_that_has_no_room_for_all_says_so() {
        let file = "company,company_name,account_id,account_name,contract_id,sure\na,,7,A,70,true\ncut_short,The file ends here,,,,\n";
        let found = found_in(&Bytes::from(file)).unwrap();
        assert_eq!((found.sure.len(), found.cut_short), (1, true));
    }

    #[test]
    fn a_refusal_is_told_by_its_row_without_the_words_that_name_it() {
        let trouble = Trouble {
            errors: vec![
                Fault::new("/rows/3/contract_id", "row 3, column contract_id: is over"),
                Fault::new("/x", "odd"),
            ],
            ..Trouble::of_form("no")
        };
        assert_eq!(faults(&trouble), BTreeMap::from([(3, "is over".to_owned())]));
    }
}
