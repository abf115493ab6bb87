//! Feeds as they come, whole and broken.

use proptest::prelude::*;

use super::*;

fn mapped(items: &str, fields: &[(&str, &str)]) -> Mapping {
    Mapping {
        items: items.to_owned(),
        fields: fields
            .iter()
            .map(|(ours, theirs)| ((*ours).to_owned(), (*theirs).to_owned()))
            .collect(),
        always: BTreeMap::from([("employer".to_owned(), "Werkplein".to_owned())]),
    }
}

#[test]
fn json_is_read_by_its_own_names() {
    let bytes = br#"{"data": {"jobs": [
        {"nr": 7, "head": "Kok", "at": {"zip": "1012 AB"}, "description": "Eten &amp; drinken<br>Fijn", "needs": ["vog", "dutch"]},
        "nothing",
        {"nr": "8", "head": "Bakker", "employer": "De Kok"}
    ]}}"#;
    let mapping = mapped(
        "data.jobs",
        &[
            ("reference", "nr"),
            ("title", "head"),
            ("postcode", "at.zip"),
        ],
    );
    let read = read(bytes, Format::Json, &mapping).unwrap();
    assert_eq!(read.unread, 1);
    let [kok, bakker] = &read.vacancies[..] else {
        panic!("two vacancies")
    };
    assert_eq!((kok.reference.as_str(), kok.title.as_str()), ("7", "Kok"));
    assert_eq!(kok.postcode, "1012 AB");
    assert_eq!(kok.text, "Eten & drinken\nFijn");
    assert_eq!(kok.needs, "vog, dutch");
    assert_eq!(kok.employer, "Werkplein");
    assert_eq!(bakker.employer, "De Kok");
}

#[test]
fn csv_is_read_with_semicolons_and_in_the_letters_of_an_older_excel() {
    let bytes = b"ID;Title;Employer;Hours\n1;Cr\xe8che;De Kok;24-32\n2;Half;\n3;Kok;De Kok;32\n";
    let read = read(bytes, Format::Csv, &Mapping::default()).unwrap();
    assert_eq!(read.unread, 1);
    assert_eq!(read.vacancies.len(), 2);
    assert_eq!(read.vacancies[0].title, "Crèche");
    assert_eq!(read.vacancies[0].hours, "24-32");
}

const RSS: &str = r#"<?xml version="1.0"?><rss version="2.0"><channel><title>Werk</title>
<item><guid>w-1</guid><title>Kok bij De Gouden Lepel</title><link>https://werk.example/1</link>
<description>&lt;p&gt;Koken in de 1012 AB, 24 uur.&lt;/p&gt;</description></item></channel></rss>"#;

#[test]
fn rss_and_atom_are_read() {
    let read_rss = read(RSS.as_bytes(), Format::Rss, &Mapping::default()).unwrap();
    let kok = &read_rss.vacancies[0];
    assert_eq!(kok.reference, "w-1");
    assert_eq!(kok.title, "Kok");
    assert_eq!(kok.employer, "De Gouden Lepel");
    assert_eq!(kok.url, "https://werk.example/1");
    assert_eq!(kok.postcode, "1012");
    assert!(kok.text.contains("Koken in de"), "{}", kok.text);
    let atom = r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>Werk</title><id>f</id><updated>2026-03-01T00:00:00Z</updated>
        <entry><id>a-1</id><title>Bakker</title><author><name>De Kok</name></author><updated>2026-03-01T00:00:00Z</updated><summary>Brood</summary></entry></feed>"#;
    let read_atom = read(atom.as_bytes(), Format::Rss, &Mapping::default()).unwrap();
    assert_eq!(read_atom.vacancies[0].employer, "De Kok");
    assert_eq!(read_atom.vacancies[0].text, "Brood");
}

#[test]
fn what_is_cut_off_or_something_else_is_unreadable_as_a_whole() {
    let json = br#"[{"id": 1, "title": "Kok"}"#;
    assert_eq!(
        read(json, Format::Json, &Mapping::default()),
        Err(Unreadable::NotJson)
    );
    assert_eq!(
        read(b"{}", Format::Json, &Mapping::default()),
        Err(Unreadable::NoList)
    );
    let page = b"<html><body>Onderhoud</body></html>";
    assert_eq!(
        read(page, Format::Csv, &Mapping::default()),
        Err(Unreadable::NotCsv)
    );
    assert_eq!(
        read(page, Format::Rss, &Mapping::default()),
        Err(Unreadable::NotRss)
    );
    let cut = &RSS.as_bytes()[..RSS.len() - 60];
    assert_eq!(
        read(cut, Format::Rss, &Mapping::default()),
        Err(Unreadable::NotRss)
    );
}

proptest! {
    #[test]
    fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..400), format in 0..3_usize) {
        let format = [Format::Json, Format::Csv, Format::Rss][format];
        let _ = read(&bytes, format, &Mapping::default());
    }

    #[test]
    fn text_out_of_html_holds_no_tag_that_was_closed(html in "[a-z<>/&; ]{0,80}") {
        let _ = plain(&html);
    }
}
