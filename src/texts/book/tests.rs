//! One message out of texts, by example.

use super::*;
use crate::domain::ids::NodeId;
use crate::texts::config::Configuration;
use crate::texts::context::Step;
use ulid::Ulid;

fn book() -> Book {
    Configuration::load(None, None).unwrap().book
}

fn of(book: &Book, node: &str) -> [TextKey; 1] {
    let flow = book.newest("task_nudge").unwrap();
    [TextKey::Node {
        flow,
        node: NodeId::from(node),
    }]
}

fn context() -> Context {
    Context::new("Samira", "Noor", "Gemeente Waterstad").about(Some(Step {
        number: 2,
        title: "{{coach}} {{2}} \"cv\"".to_owned(),
    }))
}

fn moments(count: u32) -> Vec<(SlotId, String)> {
    let slot = |at: u32| (SlotId(Ulid(u128::from(at))), format!("di {at} mrt 10:00"));
    (1..=count).map(slot).collect()
}

#[test]
fn what_a_person_wrote_is_never_a_template() {
    let book = book();
    let options = ["yes", "not_yet", "help"].map(str::to_owned);
    let made = book.render(&of(&book, "done_yet"), 7, &options, &[], "nl", &context());
    let made = made.unwrap();
    let title = "{{coach}} {{2}} \"cv\"";
    for body in [Some(made.whatsapp), made.template].into_iter().flatten() {
        assert!(body.shown().contains(title), "{}", body.shown());
        let payloads: Vec<&str> = body.choices().iter().map(|c| c.payload.as_str()).collect();
        assert_eq!(payloads, ["7:yes", "7:not_yet", "7:help"]);
    }
    assert!(made.sms.contains(title), "{}", made.sms);
}

#[test]
fn a_template_offers_exactly_the_moments_that_meta_approved_places_for() {
    let book = book();
    let (key, options) = (of(&book, "meet"), ["other".to_owned()]);
    let made = |count| {
        let moments = moments(count);
        book.render(&key, 3, &options, &moments, "nl", &context())
            .unwrap()
    };
    let FormBody::Template(template) = made(3).template.unwrap() else {
        panic!("a template");
    };
    assert_eq!(
        template.params[2..],
        ["di 1 mrt 10:00", "di 2 mrt 10:00", "di 3 mrt 10:00"]
    );
    assert!(template.buttons.is_empty(), "digits stand in its body");
    let two = made(2);
    assert_eq!(two.template, None, "3 would mean something else");
    assert_eq!(two.whatsapp.choices().len(), 3);
}

#[test]
fn several_texts_leave_outside_the_window_by_no_template_of_one_of_them() {
    let book = book();
    let [done] = of(&book, "well_done");
    let [ask] = of(&book, "done_yet");
    let options = ["yes", "not_yet", "help"].map(str::to_owned);
    let made = book.render(&[done, ask], 1, &options, &[], "nl", &context());
    assert_eq!(made.unwrap().template, None);
}

#[test]
fn each_answer_of_an_sms_has_a_line_of_its_own() {
    let book = book();
    let task = Context::new("Samira", "Noor", "Gemeente Waterstad").about(Some(Step {
        number: 2,
        title: "cv maken".to_owned(),
    }));
    let options = ["yes", "not_yet", "help"].map(str::to_owned);
    let sms = |key: TextKey, locale| {
        let made = book.render(&[key], 7, &options, &[], locale, &task);
        made.unwrap().sms
    };
    let [ask] = of(&book, "done_yet");
    assert_eq!(
        sms(ask.clone(), "nl"),
        "Hoi Samira, Noor vraagt naar je stap: cv maken. Is dit al gelukt? Stuur het cijfer:\n\
         1 Ja, gelukt\n2 Nog niet\n3 Ik wil hulp"
    );
    let TextKey::Node { flow, node } = ask else {
        panic!("a node");
    };
    assert_eq!(
        sms(TextKey::Again { flow, node }, "en"),
        "I do not quite understand. Is your step done yet: cv maken? Answer with 1, 2 or 3.\n\
         1 Yes, done\n2 Not yet\n3 I want help"
    );
}

#[test]
fn where_a_digit_is_only_the_way_out_nobody_is_told_to_send_one() {
    let book = book();
    let flow = book.newest("digital_comfort").unwrap();
    let options = ["not_now", "stuck"].map(str::to_owned);
    for node in ["photo", "command"] {
        let key = TextKey::Node {
            flow: flow.clone(),
            node: NodeId::from(node),
        };
        let made = book.render(&[key], 7, &options, &[], "nl", &context());
        let sms = made.unwrap().sms;
        assert!(sms.ends_with("\n1 Niet nu\n2 Het lukt niet"), "{sms}");
        assert!(!sms.contains("cijfer"), "{sms}");
    }
}

#[test]
fn a_question_is_asked_again_in_other_words_on_every_channel() {
    let book = book();
    let flow = book.newest("welcome").unwrap();
    let options = ["all", "steps", "nothing"].map(str::to_owned);
    let made = |key: TextKey| {
        let made = book.render(&[key], 7, &options, &[], "nl", &context());
        made.unwrap()
    };
    let node = NodeId::from("consent");
    let first = made(TextKey::Node {
        flow: flow.clone(),
        node: node.clone(),
    });
    let again = made(TextKey::Again { flow, node });
    assert_ne!(first.sms, again.sms);
    for said in [&again.sms, &again.mail.text] {
        assert!(said.starts_with("Dat begrijp ik niet goed."), "{said}");
    }
}
