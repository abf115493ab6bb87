//! Which types of file are kept. What a sender says about a file (name, type, length) is never believed:
//! a file shows by its own first bytes what it is, and whatever shows nothing on this list is refused. So
//! nothing that a browser would run is ever kept.

use super::Kind;

/// What a file is, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Jpeg,
    Png,
    Gif,
    Webp,
    Ogg,
    Mp3,
    Aac,
    Amr,
    M4a,
    Mp4,
    ThreeGp,
    Pdf,
    Docx,
    Odt,
}

impl Type {
    pub const ALL: [Type; 14] = [
        Type::Jpeg,
        Type::Png,
        Type::Gif,
        Type::Webp,
        Type::Ogg,
        Type::Mp3,
        Type::Aac,
        Type::Amr,
        Type::M4a,
        Type::Mp4,
        Type::ThreeGp,
        Type::Pdf,
        Type::Docx,
        Type::Odt,
    ];

    pub const fn mime(self) -> &'static str {
        match self {
            Type::Jpeg => "image/jpeg",
            Type::Png => "image/png",
            Type::Gif => "image/gif",
            Type::Webp => "image/webp",
            Type::Ogg => "audio/ogg",
            Type::Mp3 => "audio/mpeg",
            Type::Aac => "audio/aac",
            Type::Amr => "audio/amr",
            Type::M4a => "audio/mp4",
            Type::Mp4 => "video/mp4",
            Type::ThreeGp => "video/3gpp",
            Type::Pdf => "application/pdf",
            Type::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Type::Odt => "application/vnd.oasis.opendocument.text",
        }
    }

    pub fn parse(mime: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.mime() == mime)
    }

    /// The ending of the name that we give it.
    pub const fn ending(self) -> &'static str {
        match self {
            Type::Jpeg => "jpg",
            Type::Png => "png",
            Type::Gif => "gif",
            Type::Webp => "webp",
            Type::Ogg => "ogg",
            Type::Mp3 => "mp3",
            Type::Aac => "aac",
            Type::Amr => "amr",
            Type::M4a => "m4a",
            Type::Mp4 => "mp4",
            Type::ThreeGp => "3gp",
            Type::Pdf => "pdf",
            Type::Docx => "docx",
            Type::Odt => "odt",
        }
    }

    /// What this file is, if a file of this kind may be that.
    pub fn of(kind: Kind, bytes: &[u8]) -> Option<Self> {
        let heard = matches!(kind, Kind::Audio | Kind::Voice);
        let found = match shown(bytes)? {
            // One container for both; the phone knows which it made.
            Type::Mp4 if heard => Type::M4a,
            other => other,
        };
        found.fits(kind).then_some(found)
    }

    /// People also send photos and recordings as documents.
    const fn fits(self, kind: Kind) -> bool {
        match self {
            Type::Jpeg | Type::Png | Type::Gif => matches!(kind, Kind::Image | Kind::Document),
            Type::Webp => matches!(kind, Kind::Image | Kind::Document | Kind::Sticker),
            Type::Ogg | Type::Mp3 | Type::Aac | Type::Amr | Type::M4a => {
                matches!(kind, Kind::Audio | Kind::Voice | Kind::Document)
            }
            Type::Mp4 | Type::ThreeGp => matches!(kind, Kind::Video | Kind::Document),
            Type::Pdf | Type::Docx | Type::Odt => matches!(kind, Kind::Document),
        }
    }
}

fn shown(bytes: &[u8]) -> Option<Type> {
    let starts: [(&[u8], Type); 9] = [
        (b"\xff\xd8\xff", Type::Jpeg),
        (b"\x89PNG\r\n\x1a\n", Type::Png),
        (b"GIF87a", Type::Gif),
        (b"GIF89a", Type::Gif),
        (b"OggS\0", Type::Ogg),
        (b"ID3", Type::Mp3),
        (b"#!AMR\n", Type::Amr),
        (b"#!AMR-WB\n", Type::Amr),
        (b"%PDF-", Type::Pdf),
    ];
    if let Some((_, found)) = starts.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Some(*found);
    }
    match bytes {
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some(Type::Webp),
        [_, _, _, _, b'f', b't', b'y', b'p', a, b, c, d, ..] => container([*a, *b, *c, *d]),
        [b'P', b'K', 3, 4, ..] => text_document(bytes),
        // A frame of sound: eleven set bits, a version, and the layer that tells the two apart.
        [0xff, second, ..] if second & 0xf6 == 0xf0 => Some(Type::Aac),
        [0xff, second, ..] if second & 0xe6 == 0xe2 && second & 0x18 != 0x08 => Some(Type::Mp3),
        _ => None,
    }
}

fn container(brand: [u8; 4]) -> Option<Type> {
    match &brand {
        b"M4A " | b"M4B " => Some(Type::M4a),
        b"isom" | b"iso2" | b"iso4" | b"iso5" | b"iso6" | b"mp41" | b"mp42" | b"avc1" | b"M4V "
        | b"MSNV" | b"dash" => Some(Type::Mp4),
        [b'3', b'g', b'p', _] => Some(Type::ThreeGp),
        _ => None,
    }
}

/// A ZIP that is a letter, by the names in its table of contents. Any other ZIP, and a letter with
/// macros in it, is none.
fn text_document(zip: &[u8]) -> Option<Type> {
    const MIMETYPE: &[u8] = b"mimetypeapplication/vnd.oasis.opendocument.text";
    let names = names_in(zip)?;
    let has = |name: &str| names.iter().any(|known| known == name);
    let macros = names.iter().any(|name| {
        name.ends_with("vbaproject.bin")
            || name.starts_with("basic/")
            || name.starts_with("scripts/")
    });
    if macros {
        return None;
    }
    if has("[content_types].xml") && has("word/document.xml") {
        return Some(Type::Docx);
    }
    // Its first entry is its type, stored as it is, by the standard.
    let open = zip.get(30..).is_some_and(|rest| rest.starts_with(MIMETYPE));
    (open && has("content.xml")).then_some(Type::Odt)
}

/// The names of a ZIP's entries in lower case, from the table at its end.
fn names_in(zip: &[u8]) -> Option<Vec<String>> {
    const MOST_NAMES: usize = 4096;
    let two = |at: usize| -> Option<usize> {
        let bytes = zip.get(at..at.checked_add(2)?)?;
        Some(usize::from(u16::from_le_bytes(bytes.try_into().ok()?)))
    };
    let four = |at: usize| -> Option<usize> {
        let bytes = zip.get(at..at.checked_add(4)?)?;
        usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
    };
    // The end stands before a remark of at most 65,535 bytes.
    let from = zip.len().saturating_sub(22 + 65_535);
    let end = from
        + zip
            .get(from..)?
            .windows(4)
            .rposition(|window| window == b"PK\x05\x06")?;
    let (count, mut at) = (two(end + 10)?, four(end + 16)?);
    // Nothing may hang on behind: that would be two files in one.
    let whole = end + 22 + two(end + 20)? == zip.len();
    if !whole || count > MOST_NAMES {
        return None;
    }
    let mut names = Vec::with_capacity(count);
    for _ in 0..count {
        if zip.get(at..at.checked_add(4)?)? != b"PK\x01\x02" {
            return None;
        }
        let (name, extra, remark) = (two(at + 28)?, two(at + 30)?, two(at + 32)?);
        let text = zip.get(at + 46..(at + 46).checked_add(name)?)?;
        names.push(String::from_utf8_lossy(text).to_ascii_lowercase());
        at = (at + 46).checked_add(name + extra + remark)?;
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ZIP whose entries hold nothing but the first one's bytes.
    fn zip(names: &[&str], first: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut table = Vec::new();
        for (n, name) in names.iter().enumerate() {
            let body = if n == 0 { first } else { b"" };
            let short = |n: usize| u16::try_from(n).unwrap().to_le_bytes();
            let long = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
            let place = file.len();
            file.extend_from_slice(b"PK\x03\x04");
            file.extend_from_slice(&[0; 14]);
            file.extend_from_slice(&long(body.len()));
            file.extend_from_slice(&long(body.len()));
            file.extend_from_slice(&short(name.len()));
            file.extend_from_slice(&[0; 2]);
            file.extend_from_slice(name.as_bytes());
            file.extend_from_slice(body);
            table.extend_from_slice(b"PK\x01\x02");
            table.extend_from_slice(&[0; 24]);
            table.extend_from_slice(&short(name.len()));
            table.extend_from_slice(&[0; 12]);
            table.extend_from_slice(&long(place));
            table.extend_from_slice(name.as_bytes());
        }
        let start = file.len();
        file.extend_from_slice(&table);
        file.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        let count = u16::try_from(names.len()).unwrap().to_le_bytes();
        file.extend_from_slice(&count);
        file.extend_from_slice(&count);
        file.extend_from_slice(&u32::try_from(table.len()).unwrap().to_le_bytes());
        file.extend_from_slice(&u32::try_from(start).unwrap().to_le_bytes());
        file.extend_from_slice(&[0; 2]);
        file
    }

    #[test]
    fn a_file_shows_what_it_is_by_its_own_bytes() {
        let cases: [(Kind, &[u8], Type); 16] = [
            (Kind::Image, b"\xff\xd8\xff\xe0\0\x10JFIF", Type::Jpeg),
            (Kind::Image, b"\x89PNG\r\n\x1a\n....", Type::Png),
            (Kind::Document, b"GIF89a....", Type::Gif),
            (Kind::Sticker, b"RIFF\x10\0\0\0WEBPVP8 ", Type::Webp),
            (Kind::Voice, b"OggS\0\x02........OpusHead", Type::Ogg),
            (Kind::Audio, b"ID3\x04....", Type::Mp3),
            (Kind::Audio, b"\xff\xfb\x90\x44", Type::Mp3),
            (Kind::Audio, b"\xff\xf1\x50\x80", Type::Aac),
            (Kind::Audio, b"#!AMR\n....", Type::Amr),
            (Kind::Audio, b"\0\0\0\x18ftypM4A \0\0", Type::M4a),
            (Kind::Audio, b"\0\0\0\x18ftypmp42\0\0", Type::M4a),
            (Kind::Video, b"\0\0\0\x18ftypmp42\0\0", Type::Mp4),
            (Kind::Video, b"\0\0\0\x18ftypisom\0\0", Type::Mp4),
            (Kind::Video, b"\0\0\0\x18ftyp3gp5\0\0", Type::ThreeGp),
            (Kind::Document, b"%PDF-1.7\n", Type::Pdf),
            (Kind::Document, b"\xff\xd8\xff\xe0", Type::Jpeg),
        ];
        for (kind, bytes, expected) in cases {
            assert_eq!(Type::of(kind, bytes), Some(expected), "{kind:?} {bytes:?}");
        }
    }

    #[test]
    fn what_a_browser_would_run_and_what_lies_about_its_kind_is_none() {
        let cases: [(Kind, &[u8]); 14] = [
            (Kind::Image, b""),
            (Kind::Image, b"<svg xmlns=\"http://www.w3.org/2000/svg\">"),
            (Kind::Image, b"<?xml version=\"1.0\"?><svg/>"),
            (Kind::Document, b"<!DOCTYPE html><script>alert(1)</script>"),
            (Kind::Document, b"  <html>"),
            (Kind::Document, b"MZ\x90\0"),
            (Kind::Document, b"\x7fELF"),
            (Kind::Document, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
            (Kind::Document, b"name,number\n"),
            (Kind::Image, b"%PDF-1.7\n"),
            (Kind::Image, b"OggS\0"),
            (Kind::Voice, b"\xff\xd8\xff\xe0"),
            (Kind::Sticker, b"\x89PNG\r\n\x1a\n"),
            (Kind::Document, b"\0\0\0\x18ftypqt  "),
        ];
        for (kind, bytes) in cases {
            assert_eq!(Type::of(kind, bytes), None, "{kind:?} {bytes:?}");
        }
    }

    #[test]
    fn of_zips_only_letters_without_macros_are_kept() {
        let of = |names: &[&str], first: &[u8]| Type::of(Kind::Document, &zip(names, first));
        let word = ["[Content_Types].xml", "word/document.xml"];
        assert_eq!(of(&word, b""), Some(Type::Docx));
        let open = b"application/vnd.oasis.opendocument.text";
        assert_eq!(of(&["mimetype", "content.xml"], open), Some(Type::Odt));
        for names in [
            &[word[0], word[1], "word/vbaProject.bin"][..],
            &["[Content_Types].xml", "xl/workbook.xml"],
            &["AndroidManifest.xml", "classes.dex"],
            &["x.html"],
            &[],
        ] {
            assert_eq!(of(names, b""), None, "{names:?}");
        }
        let scripted = ["mimetype", "content.xml", "Basic/Standard/Module1.xml"];
        assert_eq!(of(&scripted, open), None);
        assert_eq!(of(&["mimetype", "content.xml"], b"text/html"), None);
    }

    #[test]
    fn a_broken_zip_is_none_and_breaks_nothing() {
        let whole = zip(&["[Content_Types].xml", "word/document.xml"], b"");
        for length in 0..whole.len() {
            assert_eq!(Type::of(Kind::Document, &whole[..length]), None, "{length}");
        }
        let mut trailed = whole.clone();
        trailed.extend_from_slice(b"<script>");
        assert_eq!(Type::of(Kind::Document, &trailed), None);
        for at in 0..whole.len() {
            let mut wild = whole.clone();
            wild[at] = 0xff;
            let _ = Type::of(Kind::Document, &wild);
        }
    }

    #[test]
    fn every_type_reads_back() {
        assert!(
            Type::ALL
                .iter()
                .all(|it| Type::parse(it.mime()) == Some(*it))
        );
    }
}
