//! Every route with what it needs: one cell a route.

use tussendoor::domain::message::MessageState;

/// What a route needs so that only its guard can say no: the state of the message, and the fields.
pub struct Cell {
    pub verb: &'static str,
    pub path: &'static str,
    pub state: MessageState,
    pub fields: &'static [(&'static str, &'static str)],
}

const fn cell(
    verb: &'static str,
    path: &'static str,
    fields: &'static [(&'static str, &'static str)],
) -> Cell {
    Cell {
        verb,
        path,
        state: MessageState::Waiting,
        fields,
    }
}

const SEEN: (&str, &str) = ("versie", "{version}");
const HASH: (&str, &str) = ("vingerafdruk", "{hash}");
const STEP: (&str, &str) = ("stap", "bel de kapper");
const DAY: (&str, &str) = ("dag", "2026-03-20");

pub const MATRIX: &[Cell] = &[
    cell("GET", "/", &[]),
    cell("GET", "/inloggen", &[]),
    cell(
        "POST",
        "/inloggen",
        &[("mail", "x@y.example"), ("wachtwoord", "x")],
    ),
    cell("POST", "/uitloggen", &[]),
    cell("POST", "/taal", &[("taal", "en")]),
    cell("GET", "/wachtwoord", &[]),
    cell(
        "POST",
        "/wachtwoord",
        &[("oud", "x"), ("nieuw", "lang genoeg woord")],
    ),
    cell("GET", "/nieuws", &[]),
    cell("GET", "/vandaag", &[]),
    cell("POST", "/seintjes/{flag}/klaar", &[]),
    cell("GET", "/concepten", &[]),
    cell("GET", "/concepten/samen", &[]),
    cell(
        "POST",
        "/concepten/samen",
        &[
            ("regel", "task_nudge/done_yet"),
            ("wie", ""),
            ("{message}", "{version}.{hash}"),
        ],
    ),
    Cell {
        verb: "POST",
        path: "/concepten/samen/{act}/terug",
        state: MessageState::Approved,
        fields: &[],
    },
    cell("GET", "/concepten/{message}", &[]),
    cell("GET", "/concepten/{message}/bewerken", &[]),
    cell("POST", "/concepten/{message}/goedkeuren", &[SEEN, HASH]),
    cell(
        "POST",
        "/concepten/{message}/tekst",
        &[SEEN, HASH, ("tekst", "Hoi")],
    ),
    cell(
        "POST",
        "/concepten/{message}/later",
        &[SEEN, HASH, ("op", "2026-03-03T14:00")],
    ),
    cell(
        "POST",
        "/concepten/{message}/vasthouden",
        &[SEEN, HASH, ("tot", "2026-03-03")],
    ),
    cell(
        "POST",
        "/concepten/{message}/niet",
        &[SEEN, HASH, ("reden", "not_now")],
    ),
    Cell {
        verb: "POST",
        path: "/concepten/{message}/terug",
        state: MessageState::Approved,
        fields: &[],
    },
    Cell {
        verb: "POST",
        path: "/concepten/{message}/twijfel",
        state: MessageState::InDoubt,
        fields: &[SEEN, ("uitkomst", "laten")],
    },
    cell("GET", "/kandidaten", &[]),
    cell("GET", "/kandidaten/{candidate}", &[]),
    cell(
        "POST",
        "/kandidaten/{candidate}/berichten",
        &[("tekst", "Hoi"), ("wanneer", "nu")],
    ),
    cell("POST", "/kandidaten/{candidate}/overnemen", &[]),
    cell("POST", "/kandidaten/{candidate}/teruggeven", &[]),
    cell("POST", "/kandidaten/{candidate}/teken", &[]),
    cell(
        "POST",
        "/kandidaten/{candidate}/notities",
        &[("tekst", "gebeld")],
    ),
    cell(
        "POST",
        "/kandidaten/{candidate}/pauze",
        &[("tot", "2026-03-10")],
    ),
    cell("POST", "/kandidaten/{candidate}/mix", &[("deel", "60")]),
    cell(
        "POST",
        "/kandidaten/{candidate}/coach",
        &[("coach", "{coach}")],
    ),
    cell("POST", "/kandidaten/{candidate}/lees/{incoming}", &[]),
    cell("GET", "/kandidaten/{candidate}/bestanden/{file}", &[]),
    cell("GET", "/kandidaten/{candidate}/start", &[]),
    cell("POST", "/kandidaten/{candidate}/start", &[]),
    cell("GET", "/kandidaten/{candidate}/brief", &[]),
    cell("POST", "/kandidaten/{candidate}/brief", &[]),
    cell("GET", "/kandidaten/{candidate}/brief.pdf", &[]),
    cell("GET", "/kandidaten/{candidate}/afspraken", &[]),
    cell(
        "POST",
        "/kandidaten/{candidate}/afspraken",
        &[
            ("soort", "progress"),
            ("hoe", "office"),
            ("moment", "2026-03-10T10:00"),
            ("minuten", "30"),
            ("plaats", "Stadhuis"),
            ("taak", ""),
            ("mensen", "2"),
        ],
    ),
    cell(
        "POST",
        "/kandidaten/{candidate}/uitnodigen",
        &[("soort", "progress"), ("hoe", "office")],
    ),
    cell(
        "POST",
        "/kandidaten/{candidate}/geweest",
        &[
            ("soort", "progress"),
            ("hoe", "office"),
            ("moment", "2026-03-02T10:00"),
            ("minuten", "30"),
            ("plaats", "Stadhuis"),
            ("taak", ""),
            ("mensen", "2"),
        ],
    ),
    cell("GET", "/kandidaten/{candidate}/plan", &[]),
    cell(
        "POST",
        "/kandidaten/{candidate}/plan",
        &[("doel", "werk in de zorg")],
    ),
    cell("POST", "/kandidaten/{candidate}/stappen", &[STEP, DAY]),
    cell(
        "POST",
        "/kandidaten/{candidate}/stappen/{task}",
        &[("versie", "0"), STEP, DAY],
    ),
    cell(
        "POST",
        "/kandidaten/{candidate}/stappen/{task}/vervalt",
        &[("versie", "0")],
    ),
    cell("GET", "/afspraken/{meeting}", &[]),
    cell("GET", "/afspraken/{meeting}/agenda.ics", &[]),
    cell(
        "POST",
        "/afspraken/{meeting}/verzetten",
        &[
            ("versie", "0"),
            ("moment", "2026-03-11T10:00"),
            ("minuten", "30"),
            ("plaats", "Stadhuis"),
        ],
    ),
    cell("POST", "/afspraken/{meeting}/afzeggen", &[("versie", "0")]),
    cell(
        "POST",
        "/afspraken/{meeting}/geweest",
        &[("versie", "0"), ("was", "er")],
    ),
    cell("GET", "/agenda", &[]),
    cell(
        "POST",
        "/agenda/momenten",
        &[
            ("team", "{team}"),
            ("dag", "2026-03-10"),
            ("van", "09:00"),
            ("tot", "10:00"),
            ("minuten", "30"),
            ("weken", "1"),
            ("hoe", "office"),
            ("plaats", "Stadhuis"),
            ("plekken", "1"),
        ],
    ),
    cell("POST", "/agenda/momenten/{slot}/intrekken", &[]),
    cell("POST", "/agenda/koppeling", &[]),
    cell(
        "POST",
        "/agenda/bezet",
        &[("adres", "https://agenda.example/noor.ics")],
    ),
    cell("GET", "/kandidaten/{candidate}/werk", &[]),
    cell(
        "POST",
        "/kandidaten/{candidate}/werk",
        &[
            ("versie", "{search}"),
            ("woorden", "magazijn"),
            ("straal", "10"),
        ],
    ),
    cell(
        "POST",
        "/kandidaten/{candidate}/werk/terug",
        &[("les", "5")],
    ),
    cell("GET", "/vacatures", &[]),
    cell("GET", "/vacatures/{vacancy}", &[]),
    cell("GET", "/weg", &[]),
    cell(
        "POST",
        "/weg",
        &[("vervanger", "{coach}"), ("tot", "2026-03-20")],
    ),
    cell("POST", "/weg/terug", &[]),
    cell("GET", "/beheer", &[]),
];
