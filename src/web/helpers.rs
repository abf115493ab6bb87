//! What the templates of pages may call: `if`, `unless` and `t`.

use std::collections::BTreeMap;
use std::sync::Arc;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, JsonTruthy, Output, RenderContext,
    RenderError, RenderErrorReason, Renderable, ScopedJson,
};

use super::words::{Locale, Words};

/// The engine's own `if` takes a name that does not exist for "no", even in strict mode.
pub(super) struct If {
    /// `if`; else it is `unless`.
    pub positive: bool,
}

impl HelperDef for If {
    fn call<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        r: &'reg Handlebars<'reg>,
        ctx: &'rc Context,
        rc: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let param = h
            .param(0)
            .ok_or(RenderErrorReason::ParamNotFoundForIndex("if", 0))?;
        if param.is_value_missing() {
            let name = param.relative_path().cloned().unwrap_or_default();
            return Err(RenderErrorReason::MissingVariable(Some(name)).into());
        }
        let yes = param.value().is_truthy(false) == self.positive;
        match if yes { h.template() } else { h.inverse() } {
            Some(part) => part.render(r, ctx, rc, out),
            None => Ok(()),
        }
    }
}

/// `{{t "key"}}` and `{{t "key" name=value}}`, in the language of the page; the result is escaped like any
/// other value.
pub(super) struct Say(pub BTreeMap<Locale, Arc<Words>>);

impl HelperDef for Say {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        page: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let key = h
            .param(0)
            .and_then(|param| param.value().as_str())
            .ok_or(RenderErrorReason::ParamNotFoundForIndex("t", 0))?;
        let lang = page.data().get("lang").and_then(|lang| lang.as_str());
        let words = lang
            .and_then(Locale::parse)
            .and_then(|it| self.0.get(&it))
            .ok_or_else(|| RenderErrorReason::MissingVariable(Some("lang".to_owned())))?;
        if !words.has(key) {
            return Err(RenderErrorReason::MissingVariable(Some(key.to_owned())).into());
        }
        let mut values = Vec::new();
        for (name, value) in h.hash() {
            if value.is_value_missing() {
                return Err(RenderErrorReason::MissingVariable(Some((*name).to_owned())).into());
            }
            let value = match value.value() {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            values.push((*name, value));
        }
        let values: Vec<(&str, &str)> = values.iter().map(|(k, v)| (*k, v.as_str())).collect();
        Ok(ScopedJson::Derived(words.fill(key, &values).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_does_not_exist_fails_also_inside_an_if() {
        let mut book = Handlebars::new();
        book.set_strict_mode(true);
        book.register_helper("if", Box::new(If { positive: true }));
        let nothing = serde_json::json!({});
        assert!(
            book.render_template("{{#if nothing}}x{{/if}}", &nothing)
                .is_err()
        );
        let no = serde_json::json!({ "nothing": false });
        assert_eq!(
            book.render_template("{{#if nothing}}x{{else}}y{{/if}}", &no)
                .unwrap(),
            "y"
        );
    }
}
