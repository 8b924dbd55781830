//! What words in companies' names are worth: legal forms, connectors, fillers, abbreviations.
//!
//! Data and look-ups, nothing else. All of it is in folded spelling: lower case, without diacritics (`name` folds).

/// Legal forms that are nothing else, wherever they stand; as a last word, or as several.
const LEGAL: &[&str] = &[
    // Germany, Austria, Switzerland
    "gmbh",
    "ggmbh",
    "gesmbh",
    "mbh",
    "mbb",
    "partg",
    "partgmbb",
    "ohg",
    "gbr",
    "kgaa",
    "haftungsbeschrankt",
    "haftungsbeschraenkt",
    "aktiengesellschaft",
    "gesellschaft mit beschrankter haftung",
    "gesellschaft mit beschraenkter haftung",
    "ugmbh",
    "gcokg",
    "eingetragener verein",
    "eingetragener kaufmann",
    "partgesmbb",
    // United Kingdom, Ireland, United States, Canada, Australia, New Zealand
    "ltd",
    "limited",
    "llc",
    "llp",
    "lllp",
    "plc",
    "pllc",
    "inc",
    "incorporated",
    "corp",
    "corporation",
    "pty",
    "lp",
    "pty ltd",
    "pty limited",
    "proprietary limited",
    "public limited company",
    "cic",
    "unlimited company",
    // France, Belgium, Luxembourg
    "sarl",
    "sas",
    "sasu",
    "eurl",
    "selarl",
    "selas",
    "snc",
    "scp",
    "sprl",
    "asbl",
    "bvba",
    "societe anonyme",
    // Netherlands
    "vof",
    "besloten vennootschap",
    "cvba",
    // Nordic countries
    "aps",
    "ivs",
    "aktiebolag",
    "handelsbolag",
    "ehf",
    "osakeyhtio",
    "aktieselskab",
    "amba",
    // Italy, Spain, Portugal
    "srl",
    "srls",
    "spa",
    "sapa",
    "slu",
    "sociedad limitada",
    "sociedad anonima",
    "lda",
    "limitada",
    "unipessoal",
    // Poland, Czechia, Hungary
    "sp zoo",
    "sp z oo",
    "spolka zoo",
    "spolka z oo",
    "spolka jawna",
    "spolka akcyjna",
    "sro",
    "spol sro",
    "spol s ro",
    "kft",
    "zrt",
    "nyrt",
    "doo",
    "ood",
    "eood",
];

/// Legal forms that may be something else, and count only where they end a name.
const LEGAL_AT_END: &[&str] = &[
    "ag", "kg", "ek", "ekfm", "efr", "eg", "ev", "eu", "ug", "se", "co", "co kg", "company", "gen", "pa", "pc", "na",
    "pl", "sa", "sc", "ei", "bv", "nv", "cv", "as", "asa", "ab", "hb", "kb", "oy", "oyj", "ay", "ks", "is", "hf", "sl",
    "sll", "scl", "ss", "spk", "spj", "spj", "sa rl", "bt", "dd", "ad", "kk", "pte ltd", "pte", "bhd",
];

/// Words between others that join them.
const CONNECTORS: &[&str] = &["and", "und", "et", "en", "og", "och", "ja", "y", "e", "i"];

/// Words that say next to nothing of who it is.
const FILLERS: &[&str] = &[
    "the", "of", "for", "de", "du", "des", "la", "le", "les", "der", "die", "das", "den", "dem", "von", "vom", "van",
    "vd", "am", "im", "in", "zum", "zur", "fur", "fuer", "del", "della", "di", "da", "do", "dos", "das", "el", "los",
    "las", "at", "on", "to", "dr", "prof", "med", "dent", "dipl", "ing", "mr", "mrs", "ms", "herr", "frau", "firma",
    "fa", "dds", "md", "aan", "ter", "te", "managed", "customer", "client", "kunde", "test",
];

/// Words that many names carry and that tell few apart.
const GENERIC: &[&str] = &[
    "services",
    "service",
    "solution",
    "solutions",
    "group",
    "gruppe",
    "groupe",
    "groep",
    "it",
    "system",
    "systems",
    "systeme",
    "consulting",
    "management",
    "international",
    "global",
    "company",
    "partner",
    "partners",
    "associates",
    "association",
    "agency",
    "agentur",
    "trading",
    "enterprise",
    "enterprises",
    "industries",
    "office",
    "offices",
    "team",
    "gesellschaft",
    "practice",
    "praxis",
    "center",
    "contractors",
    "studio",
    "store",
    "branch",
    "filiale",
    "filial",
    "niederlassung",
    "standort",
    "site",
    "location",
    "kollegen",
    "wspolnicy",
    "colleagues",
    "fils",
    "sons",
    "sohne",
    "soehne",
    "zonen",
    "hijos",
    "filhos",
];

/// Words that tell which of several places it is: where one name has one and the other has not, it is another place.
const PLACES: &[&str] = &[
    "north", "south", "east", "west", "central", "nord", "sud", "sued", "ost", "mitte", "norte", "sur", "est", "ouest",
    "oost", "zuid", "noord", "ovest", "norr", "syd", "ost", "vast", "upper", "lower", "ober", "unter", "neu", "new",
    "nieuw", "alt",
];

/// What follows is the owner's name.
const OWNED_BY: &[&str] = &["inh", "inhaber", "inhaberin", "prop", "proprietor"];

/// Spellings of one word; the first is the one that is kept.
const SAME: &[&[&str]] = &[
    &["saint", "st", "sankt", "sint"],
    &["societe", "ste"],
    &["brothers", "bros"],
    &["gebruder", "gebrueder", "gebr"],
    &["fratelli", "flli"],
    &["international", "intl"],
    &["manufacturing", "mfg"],
    &["associates", "assoc", "assocs"],
    &["department", "dept"],
    &["university", "univ"],
    &["management", "mgmt", "mgt"],
    &["services", "svcs", "svc", "service"],
    &["center", "centre", "ctr"],
    &["group", "grp"],
    &["company", "co"],
    &["engineering", "engg"],
    &["association", "assn"],
    &["veterinary", "vet", "vets"],
    &["school", "sch"],
    &["hospital", "hosp"],
    &["community", "comm"],
    &["federation", "fed"],
    &["government", "govt"],
    &["limited", "ltd"],
    &["technology", "tech"],
    &["mount", "mt"],
    &["road", "rd"],
    &["street", "str", "strasse"],
    &["etablissements", "ets"],
    &["ayuntamiento", "ayto"],
    &["feuerwehr", "ffw"],
    &["north", "northern"],
    &["south", "southern"],
    &["east", "eastern"],
    &["west", "western"],
    &["homeowners", "hoa"],
];

/// Ordinals in figures and words.
const ORDINALS: &[(&str, &str)] =
    &[("1st", "first"), ("2nd", "second"), ("3rd", "third"), ("4th", "fourth"), ("5th", "fifth")];

/// Roman numerals that are hardly ever anything else.
const ROMAN: &[(&str, &str)] = &[
    ("ii", "2"),
    ("iii", "3"),
    ("iv", "4"),
    ("vi", "6"),
    ("vii", "7"),
    ("viii", "8"),
    ("ix", "9"),
    ("xi", "11"),
    ("xii", "12"),
];

/// What follows is another name of the same company.
const TRADING_AS: &[&str] = &["t/a", "ta", "dba", "d/b/a", "d.b.a.", "aka", "a.k.a."];

/// What a remark in brackets begins with that is no part of the name.
const REMARKS: &[&str] = &[
    "formerly",
    "former",
    "ehemals",
    "vormals",
    "fruher",
    "frueher",
    "anciennement",
    "voorheen",
    "test",
    "inactive",
    "inaktiv",
    "old",
    "alt",
    "new",
    "neu",
    "do",
    "gekundigt",
    "gekuendigt",
    "cancelled",
    "duplicate",
];

/// Endings of domain names that are taken off a name that is one.
const DOMAINS: &[&str] = &[
    "co.uk", "org.uk", "ac.uk", "com.au", "net.au", "org.au", "co.nz", "co.za", "com", "net", "org", "info", "biz",
    "io", "eu", "de", "at", "ch", "fr", "be", "lu", "nl", "dk", "se", "no", "fi", "is", "it", "es", "pt", "pl", "cz",
    "hu", "ie", "uk", "us", "ca", "au",
];

pub(super) fn is_legal(words: &str) -> bool {
    LEGAL.contains(&words)
}

pub(super) fn is_legal_at_end(words: &str) -> bool {
    is_legal(words) || LEGAL_AT_END.contains(&words)
}

pub(super) fn is_connector(word: &str) -> bool {
    CONNECTORS.contains(&word)
}

pub(super) fn is_filler(word: &str) -> bool {
    FILLERS.contains(&word)
}

pub(super) fn is_generic(word: &str) -> bool {
    GENERIC.contains(&word)
}

pub(super) fn is_place(word: &str) -> bool {
    PLACES.contains(&word)
}

pub(super) fn is_owned_by(word: &str) -> bool {
    OWNED_BY.contains(&word)
}

/// The one spelling of a word that has several.
pub(super) fn same(word: &str) -> Option<&'static str> {
    SAME.iter().find(|spellings| spellings.contains(&word)).and_then(|spellings| spellings.first().copied())
}

pub(super) fn ordinal(word: &str) -> Option<&'static str> {
    ORDINALS.iter().find(|(figures, _)| *figures == word).map(|(_, words)| *words)
}

pub(super) fn roman(word: &str) -> Option<&'static str> {
    ROMAN.iter().find(|(roman, _)| *roman == word).map(|(_, number)| *number)
}

pub(super) fn is_trading_as(word: &str) -> bool {
    TRADING_AS.contains(&word)
}

pub(super) fn is_remark(word: &str) -> bool {
    REMARKS.contains(&word)
}

/// `name` without the ending of a domain name, where it has one.
pub(super) fn without_domain(name: &str) -> Option<&str> {
    DOMAINS.iter().find_map(|ending| name.strip_suffix(ending)?.strip_suffix('.')).filter(|rest| !rest.is_empty())
}
