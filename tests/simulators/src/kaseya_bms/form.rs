//! The two form encodings that log-ins come in.
//!
//! Owns their reading into names and values: `application/x-www-form-urlencoded` and `multipart/form-data` (RFC 7578, text
//! parts only). The specification names the second; most clients send the first.

use url::form_urlencoded;

/// Names and values of a form, in order. None if the body is not what the content type says.
pub(crate) fn read(content_type: &str, body: &[u8]) -> Option<Vec<(String, String)>> {
    let mut parts = content_type.split(';');
    match parts.next()?.trim().to_ascii_lowercase().as_str() {
        "application/x-www-form-urlencoded" => Some(form_urlencoded::parse(body).into_owned().collect()),
        "multipart/form-data" => {
            let boundary = parts.find_map(|part| parameter(part, "boundary"))?;
            multipart(&boundary, std::str::from_utf8(body).ok()?)
        }
        _ => None,
    }
}

fn multipart(boundary: &str, body: &str) -> Option<Vec<(String, String)>> {
    let delimiter = format!("\r\n--{boundary}");
    // The first delimiter may open the body, without a line before it.
    let body = format!("\r\n{body}");
    let mut found = Vec::new();
    let mut parts = body.split(delimiter.as_str()).skip(1);
    loop {
        // A body that ends without the closing delimiter was cut short.
        let part = parts.next()?;
        if part.starts_with("--") {
            return Some(found);
        }
        let (head, value) = part.trim_start_matches([' ', '\t']).strip_prefix("\r\n")?.split_once("\r\n\r\n")?;
        let disposition = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
        })?;
        let name = disposition.split(';').find_map(|part| parameter(part, "name"))?;
        found.push((name, value.to_owned()));
    }
}

/// `name=value` or `name="value"`.
fn parameter(part: &str, name: &str) -> Option<String> {
    let (key, value) = part.split_once('=')?;
    key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn both_encodings_give_the_same_fields() {
        let expected = vec![pair("GrantType", "password"), pair("Tenant", "Nordwind & Söhne")];
        let encoded = "GrantType=password&Tenant=Nordwind+%26+S%C3%B6hne".as_bytes();
        assert_eq!(read("application/x-www-form-urlencoded; charset=utf-8", encoded), Some(expected.clone()));
        let body = "--b1\r\nContent-Disposition: form-data; name=\"GrantType\"\r\n\r\npassword\r\n--b1\r\n\
                    Content-Type: text/plain\r\ncontent-disposition: form-data; name=Tenant\r\n\r\nNordwind & Söhne\r\n--b1--\r\n";
        assert_eq!(read("multipart/form-data; boundary=\"b1\"", body.as_bytes()), Some(expected));
    }

    #[test]
    fn a_cut_or_foreign_body_is_no_form() {
        let cut = b"--b1\r\nContent-Disposition: form-data; name=\"GrantType\"\r\n\r\npassword";
        assert_eq!(read("multipart/form-data; boundary=b1", cut), None);
        assert_eq!(read("multipart/form-data", cut), None);
        assert_eq!(read("application/json", b"{}"), None);
    }
}
