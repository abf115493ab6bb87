//! Reads Rust source just well enough to tidy it: tokens without comments, strings and characters,
//! and the paths into our own crate. It knows nothing of types and expands no macro.

/// One source file as tokens.
pub struct Source(Vec<Token>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    Word(String),
    /// `::`
    Path,
    Sign(char),
}

impl Source {
    pub fn read(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let mut tokens = Vec::new();
        let mut at = 0;
        while at < chars.len() {
            at = next(&chars, at, &mut tokens);
        }
        Self(tokens)
    }

    pub fn tokens(&self) -> &[Token] {
        &self.0
    }

    /// Does this row of words and signs stand somewhere in the code?
    pub fn holds(&self, row: &[&str]) -> bool {
        self.0
            .windows(row.len())
            .any(|found| found.iter().zip(row).all(|(a, b)| a.reads(b)))
    }

    /// Every path into our own crate, from its root; `itself` is the module of this file.
    pub fn imports(&self, itself: &[String]) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        let mut module: Vec<String> = itself.to_vec();
        // For every open brace: did it open a module?
        let mut open: Vec<bool> = Vec::new();
        let mut at = 0;
        while at < self.0.len() {
            match &self.0[at] {
                Token::Sign('{') => {
                    let named = at >= 2 && self.0[at - 2].reads("mod");
                    if let (true, Token::Word(name)) = (named, &self.0[at.max(1) - 1]) {
                        module.push(name.clone());
                    }
                    open.push(named);
                }
                Token::Sign('}') if open.pop() == Some(true) => {
                    module.pop();
                }
                Token::Word(word) if self.starts_a_path(at) => {
                    let base = match word.as_str() {
                        "crate" | "tussendoor" => Some(Vec::new()),
                        "super" => Some(above(&module)),
                        _ => None,
                    };
                    if let Some(base) = base {
                        self.path(at + 2, base, &mut found);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        found
    }

    /// Is this word followed by `::`, and not itself behind one?
    fn starts_a_path(&self, at: usize) -> bool {
        self.0.get(at + 1) == Some(&Token::Path) && (at == 0 || self.0[at - 1] != Token::Path)
    }

    /// Reads what follows a `::`: a word, `super`, or a group. Returns where it ends.
    fn path(&self, at: usize, mut base: Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
        match self.0.get(at) {
            Some(Token::Word(word)) => {
                if word == "super" {
                    base = above(&base);
                } else if word != "self" {
                    base.push(word.clone());
                }
                if self.0.get(at + 1) == Some(&Token::Path) {
                    return self.path(at + 2, base, found);
                }
                found.push(base);
                at + 1
            }
            Some(Token::Sign('{')) => {
                let mut at = at + 1;
                while at < self.0.len() && self.0[at] != Token::Sign('}') {
                    at = match self.0[at] {
                        Token::Word(_) => self.path(at, base.clone(), found),
                        Token::Sign('*') => {
                            found.push(base.clone());
                            at + 1
                        }
                        _ => at + 1,
                    };
                    // `name as other`: the other name is no path.
                    if self.0.get(at).is_some_and(|token| token.reads("as")) {
                        at += 2;
                    }
                }
                at + 1
            }
            // `super::*` names the module itself.
            _ => {
                found.push(base);
                at + 1
            }
        }
    }
}

impl Token {
    fn reads(&self, text: &str) -> bool {
        match self {
            Token::Word(word) => word == text,
            Token::Path => text == "::",
            Token::Sign(sign) => text.chars().eq([*sign]),
        }
    }
}

fn above(module: &[String]) -> Vec<String> {
    module[..module.len().saturating_sub(1)].to_vec()
}

/// Takes one token, or passes what is none; returns where the next begins.
fn next(chars: &[char], at: usize, tokens: &mut Vec<Token>) -> usize {
    let rest = &chars[at..];
    match rest {
        ['/', '/', ..] => at + until(rest, |c| c == '\n'),
        ['/', '*', ..] => at + block_comment(rest),
        ['"', ..] => at + string(rest),
        ['b' | 'c', '"', ..] => at + 1 + string(&rest[1..]),
        ['r', '"' | '#', ..] if raw_string(&rest[1..]).is_some() => {
            at + 1 + raw_string(&rest[1..]).unwrap_or(0)
        }
        ['b' | 'c', 'r', '"' | '#', ..] if raw_string(&rest[2..]).is_some() => {
            at + 2 + raw_string(&rest[2..]).unwrap_or(0)
        }
        ['\'', '\\', _, ..] => at + 3 + until(&rest[3..], |c| c == '\'') + 1,
        ['\'', _, '\'', ..] => at + 3,
        [':', ':', ..] => {
            tokens.push(Token::Path);
            at + 2
        }
        [c, ..] if c.is_alphanumeric() || *c == '_' => {
            let length = until(rest, |c| !c.is_alphanumeric() && c != '_');
            tokens.push(Token::Word(rest[..length].iter().collect()));
            at + length
        }
        [c, ..] => {
            if !c.is_whitespace() {
                tokens.push(Token::Sign(*c));
            }
            at + 1
        }
        [] => at,
    }
}

fn until(chars: &[char], end: impl Fn(char) -> bool) -> usize {
    chars.iter().position(|c| end(*c)).unwrap_or(chars.len())
}

fn block_comment(chars: &[char]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < chars.len() {
        match chars[at..] {
            ['/', '*', ..] => (at, depth) = (at + 2, depth + 1),
            ['*', '/', ..] => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(chars: &[char]) -> usize {
    let mut at = 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// The length of `#"…"#` with as many `#` on either side, or `None` for a raw identifier.
fn raw_string(chars: &[char]) -> Option<usize> {
    let hashes = until(chars, |c| c != '#');
    if chars.get(hashes) != Some(&'"') {
        return None;
    }
    let mut at = hashes + 1;
    while at < chars.len() {
        let closes = chars[at] == '"' && chars[at + 1..].iter().take(hashes).all(|c| *c == '#');
        if closes {
            break;
        }
        at += 1;
    }
    Some(at + 1 + hashes)
}
