//! Files as people send them, and everything that can be wrong in one.

use super::*;

const CANDIDATES: &str =
    "ref,first_name,family_name,language,digital_skill,track,coach_email,phone,email\n";
const PLANS: &str = "ref,candidate_ref,goal,started_on\n";
const TASKS: &str = "plan_ref,number,title,due_on,state\n";

/// A file read to its end: its rows, or every mistake.
fn read(kind: Kind, bytes: &[u8]) -> Result<Vec<Rows>, Vec<String>> {
    let file = kind.file_name();
    let reading = match text::look(bytes) {
        Ok(reading) => reading,
        Err((line, expected)) => {
            let mut found = Vec::new();
            let mut problems = Problems {
                file,
                found: &mut found,
            };
            problems.add(line, None, expected);
            return Err(found.iter().map(ToString::to_string).collect());
        }
    };
    let mut found = Vec::new();
    let mut all = Vec::new();
    let text = Text::of(bytes, &reading).unwrap();
    if let Some(mut reader) = Reader::open(kind, file, text, reading.delimiter, &mut found) {
        // Small batches: what is one file must not hang on where a batch ends.
        while let Some(rows) = reader.batch(2, &mut found) {
            all.push(rows);
        }
    }
    found.sort_by_key(|problem| problem.line);
    match found.as_slice() {
        [] => Ok(all),
        _ => Err(found.iter().map(ToString::to_string).collect()),
    }
}

fn told(kind: Kind, bytes: &[u8]) -> Vec<String> {
    read(kind, bytes).err().unwrap_or_default()
}

fn candidates(text: &str) -> Vec<Line<CandidateRow>> {
    let mut lines = Vec::new();
    for rows in read(Kind::Candidates, text.as_bytes()).unwrap() {
        match rows {
            Rows::Candidates(more) => lines.extend(more),
            _ => panic!("another kind"),
        }
    }
    lines
}

#[test]
fn a_row_is_read_whatever_the_sheet_program_made_of_it() {
    for text in [
        format!(
            "{CANDIDATES}k-1,Samira,El Idrissi,nl,starter,participation,Coach@Waterstad.example,06-12345678,\n"
        ),
        format!(
            "\u{feff}{CANDIDATES}k-1,Samira,El Idrissi,NL,Starter,Participation,coach@waterstad.example,+31612345678,\r\n,,,,,,,,\r\n"
        ),
        format!(
            "{}k-1;Samira;\"El Idrissi\";nl;starter;participation;coach@waterstad.example;0031 6 1234 5678;\n",
            CANDIDATES.replace(',', ";")
        ),
        "track,ref,email,first_name,family_name,language,digital_skill,coach_email,phone\n\
         participation, k-1 ,,Samira,El Idrissi,nl,starter,coach@waterstad.example,31612345678\n"
            .to_owned(),
    ] {
        let rows = candidates(&text);
        assert_eq!(rows.len(), 1, "{text}");
        let Line { line, cells, row } = &rows[0];
        assert_eq!((*line, cells.len()), (2, 9));
        assert_eq!(row.reference, "k-1");
        assert_eq!(row.family_name, "El Idrissi");
        assert_eq!(row.language, "nl");
        assert_eq!(row.digital_skill, DigitalSkill::Starter);
        assert_eq!(row.coach_email.as_deref(), Some("coach@waterstad.example"));
        assert_eq!(row.phone.as_deref(), Some("+31612345678"));
        assert_eq!(row.email, None);
    }
}

#[test]
fn one_name_in_two_spellings_of_unicode_is_one_name() {
    let composed = candidates(&format!(
        "{CANDIDATES}1,Zo\u{eb},B,nl,basic,outplacement,,,\n"
    ));
    let apart = candidates(&format!(
        "{CANDIDATES}1,Zoe\u{308},B,nl,basic,outplacement,,,\n"
    ));
    assert_eq!(composed[0].cells, apart[0].cells);
}

#[test]
fn every_mistake_of_a_file_is_named_by_line_and_column() {
    let text = format!(
        "{CANDIDATES}\
         ,Samira,El Idrissi,nl,starter,participation,,,\n\
         2,\"Sam\nira\",El Idrissi,Dutch,beginner,work,coach,06 12 34 56 78 (dochter),a@b\n\
         3,Jan,Bakker,nl,basic,outplacement,,020 123 4567,\n\
         \n\
         4,Jan,Bakker,nl\n\
         3,Ali,Kaya,nl,basic,outplacement,,,\n"
    );
    let expected = [
        "candidates.csv, line 2, column ref: expected 1 to 100 characters",
        "candidates.csv, line 3, column first_name: expected text on one line, without control characters",
        "candidates.csv, line 3, column language: expected a language in two letters, such as nl",
        "candidates.csv, line 3, column digital_skill: expected starter, basic or skilled",
        "candidates.csv, line 3, column track: expected participation, reintegration or outplacement",
        "candidates.csv, line 3, column coach_email: expected an e-mail address, or nothing",
        "candidates.csv, line 3, column phone: expected a mobile number such as 06 12345678, or nothing",
        "candidates.csv, line 3, column email: expected an e-mail address, or nothing",
        "candidates.csv, line 5, column phone: expected a mobile number such as 06 12345678, or nothing",
        "candidates.csv, line 7: expected 9 cells, as in the first line",
    ];
    assert_eq!(told(Kind::Candidates, text.as_bytes()), expected);
    let windows = text.replace('\n', "\r\n");
    assert_eq!(told(Kind::Candidates, windows.as_bytes()), expected);
    let text =
        format!("{CANDIDATES}3,A,B,nl,basic,outplacement,,,\n3,A,B,nl,basic,outplacement,,,\n");
    assert_eq!(
        told(Kind::Candidates, text.as_bytes()),
        ["candidates.csv, line 3, column ref: expected another one than in line 2"]
    );
}

#[test]
fn plans_and_tasks_are_read_strictly() {
    let day = "expected a day such as 2026-03-31";
    for (started_on, fine) in [
        ("2026-03-31", true),
        ("2026-3-31", false),
        ("31-03-2026", false),
        ("03-04-2026", false),
        ("2026-02-30", false),
        ("0026-03-31", false),
        ("46112", false),
        ("", false),
    ] {
        let problems = told(
            Kind::Plans,
            format!("{PLANS}p,k,Werk,{started_on}\n").as_bytes(),
        );
        let expected = format!("plans.csv, line 2, column started_on: {day}");
        assert_eq!(
            problems,
            if fine { vec![] } else { vec![expected] },
            "{started_on}"
        );
    }
    let text = format!(
        "{TASKS}p,1,Cv maken,2026-03-31,open\n\
         p,2,Bellen,,done\n\
         p,0,Bellen,soon,Open\n\
         p,1000,,,later\n\
         p,+3,x,,open\n\
         q,1,x,,open\n\
         p,2,x,,open\n"
    );
    assert_eq!(
        told(Kind::Tasks, text.as_bytes()),
        [
            "tasks.csv, line 4, column number: expected a number from 1 to 999",
            "tasks.csv, line 4, column due_on: expected a day such as 2026-03-31, or nothing",
            "tasks.csv, line 5, column number: expected a number from 1 to 999",
            "tasks.csv, line 5, column title: expected 1 to 200 characters",
            "tasks.csv, line 5, column state: expected open, done or dropped",
            "tasks.csv, line 6, column number: expected a number from 1 to 999",
            "tasks.csv, line 8, column number: expected another one than in line 3",
        ]
    );
}

#[test]
fn a_file_that_is_something_else_is_refused_as_a_whole() {
    let columns =
        "plans.csv, line 1: expected only these columns: ref, candidate_ref, goal, started_on";
    let missing = |column: &str| {
        format!("plans.csv, line 1, column {column}: expected this column, it is missing")
    };
    assert_eq!(told(Kind::Plans, b"").len(), 4);
    assert_eq!(
        told(
            Kind::Plans,
            b"ref,candidate_ref,goal,begin\np,k,Werk,2026-03-31\n"
        ),
        [missing("started_on"), columns.to_owned()]
    );
    assert_eq!(
        told(
            Kind::Plans,
            b"ref,candidate_ref,goal,started_on,goal\np,k,Werk,2026-03-31,x\n"
        ),
        ["plans.csv, line 1, column goal: expected this column once"]
    );
    assert_eq!(
        told(Kind::Plans, b"\x89PNG\r\n\x1a\n\0\0").len(),
        5,
        "four columns and what stands in their place"
    );
    // A quotation mark that is never closed takes the rest of the file into its cell.
    assert_eq!(
        told(
            Kind::Plans,
            format!("{PLANS}p,k,\"Werk,2026-03-31\nq,l,Werk,2026-03-31\n").as_bytes()
        ),
        ["plans.csv, line 2: expected 4 cells, as in the first line"]
    );
}

#[test]
fn a_file_ends_at_its_last_row_that_is_allowed() {
    let rows = "p,k,Werk,2026-03-31\nq,l,Werk,2026-03-31\n";
    let bytes = format!("{PLANS}{rows}");
    let reading = text::look(bytes.as_bytes()).unwrap();
    let text = Text::of(bytes.as_bytes(), &reading).unwrap();
    let mut found = Vec::new();
    let mut reader = Reader::open(Kind::Plans, "plans.csv", text, b',', &mut found).unwrap();
    reader.rows = MOST_ROWS - 1;
    while reader.batch(9, &mut found).is_some() {}
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].to_string(),
        "plans.csv, line 3: expected at most 250000 rows in one file"
    );
}

#[test]
fn a_mail_address_holds_one_recipient() {
    for (text, fine) in [
        ("samira@waterstad.example", true),
        ("s.el-idrissi+werk@mail.waterstad.example", true),
        ("samira", false),
        ("samira@", false),
        ("@waterstad.example", false),
        ("samira@waterstad", false),
        ("samira@waterstad..example", false),
        ("a@b.example,c@d.example", false),
        ("a@b@c.example", false),
        ("a b@c.example", false),
        ("<a@b.example>", false),
    ] {
        assert_eq!(mail(text).is_some(), fine, "{text}");
    }
}

#[test]
fn the_encoding_is_told_by_the_bytes() {
    use text::Encoding::{Utf8, Windows1252};
    let looked = |bytes: &[u8]| text::look(bytes).map(|reading| (reading.encoding, reading.skip));
    assert_eq!(looked("ref\nZo\u{eb}\n".as_bytes()), Ok((Utf8, 0)));
    assert_eq!(looked("\u{feff}ref\nZo\u{eb}\n".as_bytes()), Ok((Utf8, 3)));
    assert_eq!(
        looked(b"ref\nZo\xeb\n\x80 100 \x96 \x93ja\x94\n"),
        Ok((Windows1252, 0))
    );
    assert_eq!(looked(b""), Ok((Utf8, 0)));
    // Both in one file, or a promise that is not kept: some names would come out wrong.
    let rest = "UTF-8, as in the rest of the file";
    assert_eq!(looked(b"ref\nZo\xc3\xab\nZo\xeb\n"), Err((Some(3), rest)));
    assert_eq!(looked(b"\xef\xbb\xbfref\nZo\xeb\n"), Err((Some(2), rest)));
    for neither in [
        &b"\xff\xfer\0e\0f\0\n\0"[..],
        b"\xfe\xff\0r\0e\0f\0\n",
        b"ref\nZo\x81\n",
    ] {
        let (_, expected) = looked(neither).unwrap_err();
        assert!(expected.starts_with("UTF-8 or Windows-1252"), "{expected}");
    }
    let (line, expected) = looked(&vec![b'a'; 3 << 20]).unwrap_err();
    assert_eq!(line, Some(1));
    assert!(expected.starts_with("lines of at most"));
}

#[test]
fn windows_1252_is_read_as_what_was_typed() {
    let mut bytes = CANDIDATES.replace(',', ";").into_bytes();
    bytes.extend_from_slice(b"k-1;Zo\xeb;Van \x91t Veld;nl;starter;participation;;;\r\n\r\n");
    bytes.extend_from_slice(b"k-2;Ren\xe9e;\x8aimi\x9c;nl;starter;participation;;020 1234567;\r\n");
    let problems = told(Kind::Candidates, &bytes);
    assert_eq!(
        problems,
        [
            "candidates.csv, line 4, column phone: expected a mobile number such as 06 12345678, or nothing"
        ]
    );
    let fine: Vec<u8> = bytes
        .split(|byte| *byte == b'\n')
        .take(2)
        .flat_map(|line| [line, b"\n"].concat())
        .collect();
    match read(Kind::Candidates, &fine).unwrap().as_slice() {
        [Rows::Candidates(rows), ..] => {
            assert_eq!(rows[0].row.first_name, "Zo\u{eb}");
            assert_eq!(rows[0].row.family_name, "Van \u{2018}t Veld");
        }
        _ => panic!("one row"),
    }
}

#[test]
fn the_sign_between_cells_is_told_by_the_first_line_outside_quotes() {
    let delimiter = |head: &str| text::look(head.as_bytes()).unwrap().delimiter;
    assert_eq!(delimiter("ref,goal\n1;2;3;4\n"), b',');
    assert_eq!(delimiter("ref;goal\n1,2,3,4\n"), b';');
    assert_eq!(delimiter("\"a,b,c\";goal;x\n"), b';');
    assert_eq!(delimiter("\"a;b;c\",goal,x\n"), b',');
    assert_eq!(delimiter("ref\n"), b',');
}

#[test]
fn a_row_longer_than_a_piece_keeps_its_line() {
    // Lines of every length around the size of a piece, some of them with an end of line in quotes.
    let mut bytes = PLANS.as_bytes().to_vec();
    let mut expected = Vec::new();
    let mut line = 2;
    for n in 0..3000_u64 {
        let goal = "x".repeat(usize::try_from(n % 97).unwrap() + 1);
        let row = if n % 50 == 0 {
            expected.push(line);
            format!("p{n},k,\"{goal}\n{goal}\",2026-03-31\r\n\r\n")
        } else {
            format!("p{n},k,{goal},2026-03-31\n")
        };
        line += row.matches('\n').count() as u64;
        bytes.extend_from_slice(row.as_bytes());
    }
    let problems = told(Kind::Plans, &bytes);
    let named: Vec<String> = expected
        .iter()
        .map(|line| format!("plans.csv, line {line}, column goal: expected text on one line, without control characters"))
        .collect();
    assert_eq!(problems, named);
}
