//! What an operator can set, and the one sentence that a mistake gets.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use secrecy::ExposeSecret;
use tussendoor::settings::{Provider, Settings, SettingsError};

const MASTER: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const LOOKUP: &str = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";

const KEYS: [(&str, &str); 2] = [
    ("TUSSENDOOR_KEYS__MASTER", MASTER),
    ("TUSSENDOOR_KEYS__LOOKUP", LOOKUP),
];

fn load(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let mut environment: Vec<(String, String)> = Vec::new();
    for (name, value) in KEYS.iter().chain(variables) {
        environment.retain(|(known, _)| known != name);
        environment.push(((*name).to_owned(), (*value).to_owned()));
    }
    Settings::load(environment)
}

fn load_file(text: &str, variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    fs::write(&path, text).unwrap();
    let mut all = vec![("TUSSENDOOR_CONFIG", path.to_str().unwrap())];
    all.extend(variables);
    load(&all)
}

const COMPLETE: &str = r#"
    [organisations.waterstad]
    name = "Gemeente Waterstad"
    holidays = ["2026-05-15"]
    teams = ["Noord", "Zuid"]

    [endpoints.meta]
    provider = "whatsapp_meta"
    options = { base_url = "https://graph.facebook.com", api_version = "v24.0" }
    secrets = { app_secret = "0012345", access_token = "EAAG" }

    [lines.whatsapp]
    organisation = "waterstad"
    endpoint = "meta"
    address = "106540352242922"
    display = "+31 20 123 4567"
"#;

fn what_meta_needs() -> [Provider; 1] {
    [Provider {
        name: "whatsapp_meta",
        needs: vec![
            ("base_url", false),
            ("api_version", false),
            ("app_secret", true),
            ("access_token", true),
        ],
    }]
}

#[test]
fn with_two_keys_everything_else_has_a_default() {
    let settings = load(&[]).unwrap();
    assert_eq!(
        settings.database_url.expose_secret(),
        "sqlite://data/tussendoor.db"
    );
    assert_eq!(settings.public_url.as_str(), "http://127.0.0.1:8080/");
    assert_eq!(
        settings.keys.master.expose_secret()[..3],
        [0x00, 0x11, 0x22]
    );
    assert_eq!(settings.send.in_flight, 64);
    assert_eq!(settings.approve.undo_seconds, 10);
    assert_eq!(settings.config_dir, None);
    assert!(settings.organisations.is_empty() && settings.endpoints.is_empty());
}

#[test]
fn the_names_that_people_expect_work() {
    let settings = load(&[
        ("DATABASE_URL", "postgres://tussendoor@db/tussendoor"),
        ("LISTEN_ADDR", "0.0.0.0:80"),
        ("PUBLIC_URL", "https://tussendoor.example/t"),
        ("RUST_LOG", "tussendoor=debug,info"),
        ("TUSSENDOOR_DATA_DIR", "/var/lib/tussendoor"),
        ("PATH", "/bin"),
    ])
    .unwrap();
    assert_eq!(
        settings.database_url.expose_secret(),
        "postgres://tussendoor@db/tussendoor"
    );
    assert_eq!(settings.listen.to_string(), "0.0.0.0:80");
    assert_eq!(
        settings.public_url.as_str(),
        "https://tussendoor.example/t/"
    );
    assert_eq!(settings.log, "tussendoor=debug,info");
    assert_eq!(settings.data_dir, Path::new("/var/lib/tussendoor"));
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
    let text = format!("{COMPLETE}\n[http]\nconnections = 20\nheader_seconds = 5\n");
    let settings = load_file(
        &text,
        &[
            ("TUSSENDOOR_HTTP__CONNECTIONS", "30"),
            ("TUSSENDOOR_ENDPOINTS__META__SECRETS__APP_SECRET", "0067890"),
            ("TUSSENDOOR_ORGANISATIONS__WATERSTAD__TEAMS", "Oost, West"),
        ],
    )
    .unwrap();
    assert_eq!(settings.http.connections, 30);
    assert_eq!(settings.http.header_seconds, 5);
    assert_eq!(settings.http.request_seconds, 30);
    let meta = &settings.endpoints["meta"];
    assert_eq!(meta.secrets["app_secret"].expose_secret(), "0067890");
    assert_eq!(meta.secrets["access_token"].expose_secret(), "EAAG");
    let waterstad = &settings.organisations["waterstad"];
    assert_eq!(waterstad.teams, ["Oost", "West"]);
    assert_eq!(waterstad.zone.name(), "Europe/Amsterdam");
    assert_eq!(
        waterstad.holidays,
        BTreeSet::from(["2026-05-15".parse().unwrap()])
    );
    let origins = BTreeSet::from(["https://graph.facebook.com".to_owned()]);
    assert_eq!(settings.allowed_origins(), origins);
    settings.check(&what_meta_needs()).unwrap();
}

#[test]
fn a_secret_that_is_all_digits_keeps_its_zeros() {
    let settings = load_file(COMPLETE, &[]).unwrap();
    assert_eq!(
        settings.endpoints["meta"].secrets["app_secret"].expose_secret(),
        "0012345"
    );
}

#[test]
fn a_secret_can_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("master");
    fs::write(&file, format!("{LOOKUP}\n")).unwrap();
    let settings = Settings::load([
        (
            "TUSSENDOOR_KEYS__MASTER_FILE".to_owned(),
            file.to_str().unwrap().to_owned(),
        ),
        ("TUSSENDOOR_KEYS__LOOKUP".to_owned(), MASTER.to_owned()),
    ])
    .unwrap();
    assert_eq!(settings.keys.master.expose_secret()[0], 0xff);
}

#[test]
fn a_key_may_be_hexadecimal_or_base64() {
    let bytes: Vec<u8> = (0..32).collect();
    for text in [
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    ] {
        let settings = load(&[("TUSSENDOOR_KEYS__MASTER", text)]).unwrap();
        assert_eq!(
            settings.keys.master.expose_secret().as_slice(),
            bytes,
            "{text}"
        );
    }
}

/// (variables, the sentence). `HUSH` stands in many of them and may stand in no sentence.
const BROKEN: &[(&[(&str, &str)], &str)] = &[
    (
        &[("TUSSENDOOR_KEYS__MASTER", "")],
        "the setting keys.master (TUSSENDOOR_KEYS__MASTER) is missing: expected 32 bytes, as 64 hexadecimal digits or in base64",
    ),
    (
        &[("TUSSENDOOR_KEYS__LOOKUP", "HUSH")],
        "the setting keys.lookup (TUSSENDOOR_KEYS__LOOKUP) is wrong: expected 32 bytes, as 64 hexadecimal digits or in base64",
    ),
    (
        &[("TUSSENDOOR_KEYS__LOOKUP", MASTER)],
        "the setting keys.lookup (TUSSENDOOR_KEYS__LOOKUP) is wrong: expected another key than keys.master",
    ),
    (
        &[("TUSSENDOOR_KEYS__MASTER_FILE", "/tmp/HUSH/none")],
        "TUSSENDOOR_KEYS__MASTER and TUSSENDOOR_KEYS__MASTER_FILE are both set: keep one of them",
    ),
    (
        &[("TUSSENDOOR_DATABASE__URL_FILE", "/tmp/HUSH/none")],
        "the file that TUSSENDOOR_DATABASE__URL_FILE names cannot be read: entity not found",
    ),
    (
        &[("TUSSENDOOR_KEYZ__MASTER", "HUSH")],
        "there is no setting keyz (TUSSENDOOR_KEYZ)",
    ),
    (
        &[("TUSSENDOOR_SEND__PER_MINUTE", "80")],
        "there is no setting send.per_minute (TUSSENDOOR_SEND__PER_MINUTE)",
    ),
    (
        &[("TUSSENDOOR_LOG_FILE", "/var/log/HUSH")],
        "there is no setting log_file (TUSSENDOOR_LOG_FILE)",
    ),
    (&[("TUSSENDOOR_SEND__", "80")], "there is no setting send."),
    (
        &[("TUSSENDOOR_SEND__IN_FLIGHT", "HUSH")],
        "the setting send.in_flight (TUSSENDOOR_SEND__IN_FLIGHT) is wrong: expected an integer",
    ),
    (
        &[("TUSSENDOOR_SEND__IN_FLIGHT", "65")],
        "the setting send.in_flight (TUSSENDOOR_SEND__IN_FLIGHT) is wrong: expected a number from 1 to 64",
    ),
    (
        &[("TUSSENDOOR_RECEIVE__BODY_BYTES", "1000000")],
        "the setting receive.body_bytes (TUSSENDOOR_RECEIVE__BODY_BYTES) is wrong: expected a number from 3145728 to 67108864",
    ),
    (
        &[("TUSSENDOOR_RETENTION__SEEN_DAYS", "7")],
        "the setting retention.seen_days (TUSSENDOOR_RETENTION__SEEN_DAYS) is wrong: expected a number from 8 to 3650",
    ),
    (
        &[("DATABASE_URL", "mysql://root:HUSH@db/t")],
        "the setting database.url (TUSSENDOOR_DATABASE__URL) is wrong: expected an address that starts with sqlite:// or postgres://",
    ),
    (
        &[
            ("DATABASE_URL", "sqlite://a"),
            ("TUSSENDOOR_DATABASE__URL", "sqlite://b"),
        ],
        "DATABASE_URL and TUSSENDOOR_DATABASE__URL are both set: keep one of them",
    ),
    (
        &[("LISTEN_ADDR", "8080")],
        "the setting listen (TUSSENDOOR_LISTEN) is wrong: expected an address such as 127.0.0.1:8080",
    ),
    (
        &[("LISTEN_ADDR", "0.0.0.0:8080")],
        "the setting public_url (TUSSENDOOR_PUBLIC_URL) is missing: expected the https:// address of this service (http:// on this machine only)",
    ),
    (
        &[("PUBLIC_URL", "http://tussendoor.example")],
        "the setting public_url (TUSSENDOOR_PUBLIC_URL) is wrong: expected the https:// address of this service (http:// on this machine only)",
    ),
    (
        &[("PUBLIC_URL", "https://coach:HUSH@tussendoor.example")],
        "the setting public_url (TUSSENDOOR_PUBLIC_URL) is wrong: expected the https:// address of this service (http:// on this machine only)",
    ),
    (
        &[("RUST_LOG", "tussendoor=loud=very")],
        "the setting log (TUSSENDOOR_LOG) is wrong: expected levels such as info or tussendoor=debug,info",
    ),
    (
        &[("TUSSENDOOR_TEMPLATES_DIR", "/tmp/no/such/folder")],
        "the setting templates_dir (TUSSENDOOR_TEMPLATES_DIR) is wrong: expected a folder that exists",
    ),
    (
        &[("TUSSENDOOR_WIRE__PROXY", "socks5://u:HUSH@proxy")],
        "the setting wire.proxy (TUSSENDOOR_WIRE__PROXY) is wrong: expected an address such as http://proxy.example:3128",
    ),
    (
        &[
            ("TUSSENDOOR_ORGANISATIONS__W__NAME", "W"),
            ("TUSSENDOOR_ORGANISATIONS__W__ZONE", "Amsterdam"),
        ],
        "the setting organisations.w.zone (TUSSENDOOR_ORGANISATIONS__W__ZONE) is wrong: expected a time zone such as Europe/Amsterdam",
    ),
    (
        &[
            ("TUSSENDOOR_ORGANISATIONS__W__NAME", "W"),
            ("TUSSENDOOR_ORGANISATIONS__W__HOLIDAYS", "2026-02-30"),
        ],
        "the setting organisations.w.holidays (TUSSENDOOR_ORGANISATIONS__W__HOLIDAYS) is wrong: expected days such as 2026-05-15",
    ),
    (
        &[("TUSSENDOOR_ORGANISATIONS__W__ZONE", "Europe/Amsterdam")],
        "the setting organisations.w.name (TUSSENDOOR_ORGANISATIONS__W__NAME) is missing: expected a value",
    ),
    (
        &[("TUSSENDOOR_ENDPOINTS__META__SECRETS__APP_SECRET", "HUSH")],
        "the setting endpoints.meta.provider (TUSSENDOOR_ENDPOINTS__META__PROVIDER) is missing: expected a value",
    ),
    (
        &[("TUSSENDOOR_CONFIG", "/tmp/no/such/file")],
        "the file that TUSSENDOOR_CONFIG names cannot be read: entity not found",
    ),
];

#[test]
fn a_broken_variable_gets_one_sentence_that_names_it() {
    for (variables, sentence) in BROKEN {
        let error = load(variables).unwrap_err();
        assert_eq!(error.to_string(), *sentence, "{variables:?}");
        assert!(!format!("{error} {error:?}").contains("HUSH"));
    }
}

/// (what is replaced in the complete file, by what, the sentence).
const BROKEN_FILES: &[(&str, &str, &str)] = &[
    (
        "name = \"Gemeente Waterstad\"",
        "name = HUSH",
        "the file that TUSSENDOOR_CONFIG names is not TOML in line 3: string values must be quoted, expected literal string",
    ),
    (
        "\"0012345\"",
        "12345",
        "the setting endpoints.meta.secrets.app_secret (TUSSENDOOR_ENDPOINTS__META__SECRETS__APP_SECRET) is wrong: expected text in quotes",
    ),
    (
        "\"0012345\"",
        "\"\"",
        "the setting endpoints.meta.secrets.app_secret (TUSSENDOOR_ENDPOINTS__META__SECRETS__APP_SECRET) is missing: expected a secret",
    ),
    (
        "[\"Noord\", \"Zuid\"]",
        "3",
        "the setting organisations.waterstad.teams (TUSSENDOOR_ORGANISATIONS__WATERSTAD__TEAMS) is wrong: expected a list, or text with commas",
    ),
    (
        "secrets = { app_secret = \"0012345\", access_token = \"EAAG\" }",
        "secrets = \"HUSH\"",
        "the setting endpoints.meta.secrets (TUSSENDOOR_ENDPOINTS__META__SECRETS) is wrong: expected a map",
    ),
    (
        "display = ",
        "show = \"HUSH\"\ndisplay = ",
        "there is no setting lines.whatsapp.show (TUSSENDOOR_LINES__WHATSAPP__SHOW)",
    ),
    (
        "organisation = \"waterstad\"",
        "organisation = \"zandstad\"",
        "the setting lines.whatsapp.organisation (TUSSENDOOR_LINES__WHATSAPP__ORGANISATION) is wrong: expected the name of one of [organisations]",
    ),
    (
        "endpoint = \"meta\"",
        "endpoint = \"twilio\"",
        "the setting lines.whatsapp.endpoint (TUSSENDOOR_LINES__WHATSAPP__ENDPOINT) is wrong: expected the name of one of [endpoints]",
    ),
    (
        "\"https://graph.facebook.com\"",
        "\"http://graph.facebook.com\"",
        "the setting endpoints.meta.options.base_url (TUSSENDOOR_ENDPOINTS__META__OPTIONS__BASE_URL) is wrong: expected an https:// address (http:// on this machine only)",
    ),
    (
        "[lines.whatsapp]",
        "[lines.two]\norganisation = \"waterstad\"\nendpoint = \"meta\"\naddress = \"106540352242922\"\ndisplay = \"2\"\n[lines.whatsapp]",
        "the setting lines.whatsapp.address (TUSSENDOOR_LINES__WHATSAPP__ADDRESS) is wrong: expected an address that no other line of this endpoint has",
    ),
    (
        "[organisations.waterstad]",
        "[organisations.water__stad]\nname = \"x\"\n[organisations.waterstad]",
        "the setting organisations.water__stad (TUSSENDOOR_ORGANISATIONS__WATER__STAD) is wrong: expected a name of at most 40 of a-z, 0-9, single _ and -",
    ),
];

#[test]
fn a_broken_file_gets_one_sentence_that_names_the_setting() {
    for (what, by, sentence) in BROKEN_FILES {
        assert!(COMPLETE.contains(what), "{what}");
        let error = load_file(&COMPLETE.replacen(what, by, 1), &[]).unwrap_err();
        assert_eq!(error.to_string(), *sentence, "{by}");
        assert!(!format!("{error} {error:?}").contains("HUSH"));
    }
}

#[test]
fn an_endpoint_has_exactly_what_its_provider_needs() {
    for (what, by, sentence) in [
        (
            "\"whatsapp_meta\"",
            "\"whatsapp_mate\"",
            "the setting endpoints.meta.provider (TUSSENDOOR_ENDPOINTS__META__PROVIDER) is wrong: expected one of whatsapp_meta",
        ),
        (
            ", access_token = \"EAAG\"",
            "",
            "the setting endpoints.meta.secrets.access_token (TUSSENDOOR_ENDPOINTS__META__SECRETS__ACCESS_TOKEN) is missing: expected what whatsapp_meta needs",
        ),
        (
            ", api_version = \"v24.0\"",
            "",
            "the setting endpoints.meta.options.api_version (TUSSENDOOR_ENDPOINTS__META__OPTIONS__API_VERSION) is missing: expected what whatsapp_meta needs",
        ),
        (
            "api_version = \"v24.0\"",
            "api_version = \"v24.0\", app_secret = \"HUSH\"",
            "there is no setting endpoints.meta.options.app_secret (TUSSENDOOR_ENDPOINTS__META__OPTIONS__APP_SECRET)",
        ),
    ] {
        let settings = load_file(&COMPLETE.replacen(what, by, 1), &[]).unwrap();
        assert_eq!(
            settings.check(&what_meta_needs()).unwrap_err().to_string(),
            sentence
        );
    }
}

#[test]
fn settings_print_no_secret() {
    let settings = load_file(COMPLETE, &[("DATABASE_URL", "postgres://t:hidden@db/t")]).unwrap();
    let printed = format!("{settings:?}");
    for secret in ["hidden", "0012345", "EAAG", "[0, 17", "00112233"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn the_demo_makes_its_keys_once_and_keeps_them() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("demo");
    let mut fresh = [7_u8; 64];
    fresh[40] = 1;
    let first = Settings::for_demo([], &data_dir, &fresh).unwrap();
    let again = Settings::for_demo([], &data_dir, &[9; 64]).unwrap();
    assert_eq!(first.keys.master.expose_secret(), &[7; 32]);
    assert_eq!(
        again.keys.master.expose_secret(),
        first.keys.master.expose_secret()
    );
    assert_eq!(
        again.keys.lookup.expose_secret(),
        first.keys.lookup.expose_secret()
    );
    assert_eq!(first.data_dir, data_dir);
    assert_eq!(first.endpoints["simulator"].provider, "simulator");
    first
        .check(&[Provider {
            name: "simulator",
            needs: vec![],
        }])
        .unwrap();

    fs::write(data_dir.join("demo.keys"), "00").unwrap();
    let error = Settings::for_demo([], &data_dir, &fresh).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("demo.keys: it does not hold two keys"),
        "{error}"
    );
}

#[test]
fn the_demo_refuses_a_real_provider() {
    let folder = tempfile::tempdir().unwrap();
    let real = [(
        "TUSSENDOOR_ENDPOINTS__META__PROVIDER".to_owned(),
        "whatsapp_meta".to_owned(),
    )];
    let mut fresh = [7_u8; 64];
    fresh[40] = 1;
    let error = Settings::for_demo(real, folder.path(), &fresh).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the demo sends nothing to the outside: take the endpoint meta out of its settings"
    );
}

#[test]
fn every_setting_of_the_default_file_can_be_set_by_its_variable() {
    let default: toml::Table = include_str!("../../config/default.toml").parse().unwrap();
    let mut names = Vec::new();
    for (name, value) in &default {
        match value {
            toml::Value::Table(table) => {
                names.extend(
                    table
                        .iter()
                        .map(|(below, value)| (format!("{name}__{below}"), value)),
                );
            }
            value => names.push((name.clone(), value)),
        }
    }
    assert!(names.len() > 20);
    for (name, value) in names {
        let variable = format!("TUSSENDOOR_{}", name.to_uppercase());
        // What a setting of each kind refuses, by name: it was read from there.
        let refused = match value {
            toml::Value::Integer(_) => "-1",
            _ if name == "log" => "a=b=c",
            _ if name == "data_dir" || name.ends_with("_dir") => "\0",
            _ => "nothing of the kind",
        };
        let error = load(&[(&variable, refused)]).unwrap_err().to_string();
        assert!(error.contains(&variable), "{variable}: {error}");
    }
}
