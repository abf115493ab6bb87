//! The letter as a PDF of one page, in a typeface for people who read with trouble (Atkinson Hyperlegible,
//! SIL Open Font License 1.1, beside this file). The file carries the letters it uses, so that every printer
//! prints every name.

use krilla::Document;
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::text::{Font, TextDirection};

use super::Letter;

const FONT: &[u8] = include_bytes!("AtkinsonHyperlegible-Regular.ttf");

/// A4 in points, and its margin.
const WIDTH: f32 = 595.0;
const HEIGHT: f32 = 842.0;
const MARGIN: f32 = 71.0;
/// Size of the letters and height of a line.
const SIZE: f32 = 13.0;
const LINE: f32 = 19.0;
/// Letters of a line: so many fit, also of the widest text that we write.
const LETTERS: usize = 64;
/// Width of the code on paper: six centimetres.
const CODE: f32 = 170.0;

/// The file; `None` if the library refuses, which only a bug can make.
pub fn file(letter: &Letter, code: &(Vec<(usize, usize, usize)>, usize)) -> Option<Vec<u8>> {
    let font = Font::new(FONT.to_vec().into(), 0)?;
    let mut document = Document::new();
    let mut page = document.start_page_with(PageSettings::from_wh(WIDTH, HEIGHT)?);
    write(letter, code, page.surface(), font)?;
    page.finish();
    document.finish().ok()
}

fn write(
    letter: &Letter,
    code: &(Vec<(usize, usize, usize)>, usize),
    mut surface: Surface<'_>,
    font: Font,
) -> Option<()> {
    surface.set_fill(Some(Fill {
        paint: rgb::Color::new(0, 0, 0).into(),
        opacity: NormalizedF32::ONE,
        rule: FillRule::NonZero,
    }));
    let mut paper = Paper {
        surface,
        font,
        at: MARGIN,
    };
    paper.say(&letter.organisation);
    paper.say(&letter.day);
    paper.skip();
    for text in &letter.before {
        paper.say(text);
        paper.skip();
    }
    paper.code(code)?;
    for text in [&letter.or_word, &letter.word] {
        paper.say(text);
    }
    paper.skip();
    for text in &letter.after {
        paper.say(text);
    }
    paper.say(&letter.from);
    paper.surface.finish();
    Some(())
}

struct Paper<'a> {
    surface: Surface<'a>,
    font: Font,
    /// How far down the page is full.
    at: f32,
}

impl Paper<'_> {
    fn skip(&mut self) {
        self.at += LINE * 0.6;
    }

    fn say(&mut self, text: &str) {
        for line in lines(text) {
            self.at += LINE;
            let place = Point::from_xy(MARGIN, self.at);
            let font = self.font.clone();
            let direction = TextDirection::Auto;
            self.surface
                .draw_text(place, font, SIZE, &line, false, direction);
        }
    }

    fn code(&mut self, (runs, size): &(Vec<(usize, usize, usize)>, usize)) -> Option<()> {
        if *size == 0 {
            return Some(());
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a code has at most 185 modules a side"
        )]
        let points = |modules: usize| modules as f32 * CODE / *size as f32;
        let mut path = PathBuilder::new();
        for (x, y, run) in runs {
            let left = MARGIN + points(*x);
            let top = self.at + points(*y);
            path.push_rect(Rect::from_xywh(left, top, points(*run), points(1))?);
        }
        if let Some(path) = path.finish() {
            self.surface.draw_path(&path);
        }
        self.at += CODE;
        Some(())
    }
}

/// Cut between words.
fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= LETTERS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::web::coach::start::runs;
    use crate::web::view::Pages;
    use crate::web::words::Locale;

    #[test]
    fn a_letter_is_a_file_of_one_page_with_its_typeface_inside() {
        let pages = Pages::load().unwrap();
        for locale in Locale::ALL {
            for whatsapp in [true, false] {
                let letter = sample(&pages.words(locale), whatsapp);
                let bytes = file(&letter, &runs(&letter.link)).unwrap();
                assert!(bytes.starts_with(b"%PDF-"));
                let text = String::from_utf8_lossy(&bytes);
                assert!(text.contains("/Count 1"), "one page");
                assert!(text.contains("AtkinsonHyperlegible"), "its own typeface");
                assert!(bytes.len() < 100_000, "{} bytes", bytes.len());
            }
        }
    }

    #[test]
    fn a_long_text_is_cut_between_words() {
        let text = "woord ".repeat(40);
        let cut = lines(&text);
        assert!(cut.len() > 3 && cut.iter().all(|line| line.chars().count() <= LETTERS));
        assert_eq!(cut.join(" "), text.trim());
    }
}
