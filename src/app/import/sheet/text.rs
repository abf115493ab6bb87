//! The bytes of a file: UTF-8 or Windows-1252, commas or semicolons, and on which line each row begins.
//! A file is looked through once before it is read, and is never held in memory as a whole.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead, Read};

use encoding_rs::{Encoding as Known, UTF_8, WINDOWS_1252};
use sha2::{Digest as _, Sha256};

/// No line of ours is as long; a file without any end of line is no CSV.
const LONGEST: u64 = 1024 * 1024;
const PIECE: usize = 32 * 1024;
/// Bytes that Windows-1252 gives no letter.
const NO_LETTER: [u8; 5] = [0x81, 0x8d, 0x8f, 0x90, 0x9d];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Windows1252,
}

/// How a file must be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub encoding: Encoding,
    /// Bytes before the text: a byte order mark.
    pub skip: usize,
    pub delimiter: u8,
    pub lines: u64,
    /// SHA-256 of the whole file, for the log.
    pub hash: String,
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.encoding {
            Encoding::Utf8 => "UTF-8",
            Encoding::Windows1252 => "Windows-1252",
        })?;
        f.write_str(match self.delimiter {
            b';' => " with semicolons",
            _ => " with commas",
        })
    }
}

/// What is wrong with a file as a whole: the line, if there is one, and what was expected.
pub type Unreadable = (Option<u64>, &'static str);

/// Looks through a file: UTF-8 if all of it is, else Windows-1252, which an older Excel writes. A file
/// that is both is damaged: read as either, some names in it would come out wrong.
pub fn look(mut bytes: impl BufRead) -> Result<Reading, Unreadable> {
    let mut hash = Sha256::new();
    let mut line = Vec::new();
    let mut reading = Reading {
        encoding: Encoding::Utf8,
        skip: 0,
        delimiter: b',',
        lines: 0,
        hash: String::new(),
    };
    let (mut wide, mut other, mut no_letter) = (false, None, false);
    loop {
        line.clear();
        let read = bytes.by_ref().take(LONGEST).read_until(b'\n', &mut line);
        if read.map_err(|_| (None, "a file that can be read to its end"))? == 0 {
            break;
        }
        hash.update(&line);
        reading.lines += 1;
        if line.len() as u64 == LONGEST && line.last() != Some(&b'\n') {
            return Err((Some(reading.lines), "lines of at most a million characters"));
        }
        let mut text = line.as_slice();
        if reading.lines == 1 {
            match Known::for_bom(text) {
                Some((encoding, length)) if encoding == UTF_8 => {
                    reading.skip = length;
                    text = text.get(length..).unwrap_or_default();
                }
                Some(_) => return Err((Some(1), NEITHER)),
                None => {}
            }
            reading.delimiter = delimiter(text);
        }
        for chunk in text.utf8_chunks() {
            wide |= !chunk.valid().is_ascii();
            if !chunk.invalid().is_empty() {
                other = other.or(Some(reading.lines));
                no_letter |= chunk.invalid().iter().any(|byte| NO_LETTER.contains(byte));
            }
        }
    }
    reading.hash = hex::encode(hash.finalize());
    match other {
        None => Ok(reading),
        Some(at) if wide || reading.skip > 0 => {
            Err((Some(at), "UTF-8, as in the rest of the file"))
        }
        Some(at) if no_letter => Err((Some(at), NEITHER)),
        Some(_) => {
            reading.encoding = Encoding::Windows1252;
            Ok(reading)
        }
    }
}

const NEITHER: &str = "UTF-8 or Windows-1252 (in Excel: save as \"CSV UTF-8\")";

/// The sign that stands most often in the first line, outside quotes. A Dutch Excel writes semicolons.
fn delimiter(head: &[u8]) -> u8 {
    let (mut commas, mut semicolons, mut quoted) = (0, 0, false);
    for byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => commas += 1,
            b';' if !quoted => semicolons += 1,
            _ => {}
        }
    }
    if semicolons > commas { b';' } else { b',' }
}

/// The text of a file as UTF-8, piece by piece.
pub struct Text<R: Read> {
    bytes: R,
    encoding: Encoding,
    piece: Vec<u8>,
    /// How much of the piece was given away.
    given: usize,
    /// Where the next piece begins in the text.
    offset: u64,
    line: u64,
    fresh: bool,
    /// Where lines begin that are not empty, and their numbers.
    starts: VecDeque<(u64, u64)>,
}

impl<R: Read> Text<R> {
    /// The text of a file that was looked through.
    pub fn of(mut bytes: R, reading: &Reading) -> io::Result<Self> {
        let mut mark = vec![0; reading.skip];
        bytes.read_exact(&mut mark)?;
        Ok(Self {
            bytes,
            encoding: reading.encoding,
            piece: Vec::new(),
            given: 0,
            offset: 0,
            line: 1,
            fresh: true,
            starts: VecDeque::new(),
        })
    }

    /// How many lines were taken up.
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// The line on which the record begins that the reader found at this byte. The reader's own number
    /// is too low where lines before it are empty or end in CR LF.
    pub fn line_at(&mut self, byte: u64) -> u64 {
        while self.starts.front().is_some_and(|(start, _)| *start < byte) {
            self.starts.pop_front();
        }
        self.starts.front().map_or(self.line, |(_, line)| *line)
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut raw = vec![0; PIECE];
        let read = self.bytes.read(&mut raw)?;
        raw.truncate(read);
        // Every byte of Windows-1252 is one letter, so a piece may end anywhere.
        self.piece = match self.encoding {
            Encoding::Utf8 => raw,
            Encoding::Windows1252 => {
                let (text, _) = WINDOWS_1252.decode_without_bom_handling(&raw);
                text.into_owned().into_bytes()
            }
        };
        self.given = 0;
        for (byte, at) in self.piece.iter().zip(self.offset..) {
            match byte {
                b'\n' => {
                    self.line += 1;
                    self.fresh = true;
                }
                b'\r' => self.fresh = true,
                _ if self.fresh => {
                    self.starts.push_back((at, self.line));
                    self.fresh = false;
                }
                _ => {}
            }
        }
        self.offset += self.piece.len() as u64;
        Ok(())
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.given == self.piece.len() {
            self.fill()?;
        }
        let left = self.piece.get(self.given..).unwrap_or_default();
        let length = left.len().min(into.len());
        into[..length].copy_from_slice(&left[..length]);
        self.given += length;
        Ok(length)
    }
}
