//! Which names and texts speak of secrets. Shared by the rules about them.

/// What a literal under a secret's name looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Likeness {
    /// A placeholder, a reference, prose.
    None,
    /// Could be one: a plain word.
    Weak,
    /// Nearly always one.
    Strong,
}

/// The words of a name: `adminPassword`, `admin_password` and `ADMIN-PASSWORD`
/// are `admin`, `password`.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut previous = ' ';
    for character in name.chars() {
        if !character.is_alphanumeric() {
            previous = ' ';
            continue;
        }
        let starts = previous == ' ' || (character.is_uppercase() && previous.is_lowercase());
        let lower = character.to_ascii_lowercase();
        match words.last_mut() {
            Some(word) if !starts => word.push(lower),
            _ => words.push(lower.to_string()),
        }
        previous = character;
    }
    words
}

/// How much randomness a name's value needs before it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretName {
    /// `password`, `passphrase`: any literal is one.
    Password,
    /// `token`, `secret`, `apiKey`: often the name of one.
    Token,
}

/// Whether an attribute of this name holds a secret.
pub(crate) fn secret_name(name: &str) -> Option<SecretName> {
    let words = words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // About a secret, but not one: a program that asks, a label, a setting.
    const ABOUT: [&str; 14] = [
        "ask",
        "command",
        "prompt",
        "forgot",
        "reset",
        "label",
        "field",
        "attribute",
        "method",
        "policy",
        "type",
        "query",
        "no",
        "hashed",
    ];
    if words.iter().any(|word| ABOUT.contains(word)) {
        return None;
    }
    let password = |word: &str| matches!(word, "password" | "passwd" | "passphrase" | "passwort");
    match words.as_slice() {
        [.., last] if password(last) => Some(SecretName::Password),
        [.., "api", "key"]
        | [.., "apikey"]
        | [.., "secret", "key"]
        | [.., "secretkey"]
        | [.., "private", "key"]
        | [.., "privatekey"]
        | [.., "auth", "key"]
        | [.., "authkey"]
        | [.., "encryption", "key"]
        | [.., "access", "key"]
        | [.., "preshared", "key"]
        | [.., "psk"]
        | [.., "secret"]
        | [.., "token"] => Some(SecretName::Token),
        _ => None,
    }
}

/// Judges a literal that stands under a secret's name.
pub(crate) fn likeness(name: SecretName, value: &str) -> Likeness {
    let text = value.trim();
    if text.len() < 4 || is_reference(text) || is_placeholder(text) {
        return Likeness::None;
    }
    let has = |test: fn(char) -> bool| text.chars().any(test);
    let spaces = text.split_whitespace().count() > 1;
    let digit = has(|next| next.is_ascii_digit());
    let lower = has(|next| next.is_lowercase());
    let upper = has(|next| next.is_uppercase());
    let mixed = [digit, lower, upper].iter().filter(|has| **has).count() >= 2;
    match name {
        SecretName::Password if spaces => Likeness::None,
        // `ADMIN_PASSWORD` is a variable's name.
        SecretName::Password if upper && !lower && text.contains('_') => Likeness::None,
        SecretName::Password if is_common(text) => Likeness::Weak,
        SecretName::Password => Likeness::Strong,
        SecretName::Token if spaces => Likeness::None,
        SecretName::Token if text.len() >= 16 && digit && mixed && !is_words(text) => Likeness::Strong,
        SecretName::Token if text.len() >= 8 && digit && mixed && !is_words(text) => Likeness::Weak,
        SecretName::Token => Likeness::None,
    }
}

/// Something that stands for a secret which is kept elsewhere.
fn is_reference(text: &str) -> bool {
    let starts = [
        "/", "./", "../", "~", "$", "%", "@", "<", "{", "!", "#", "file:", "env:", "vault:", "op:", "pass:",
        "ENC[", "ref+", "age1", "*",
    ];
    let contains = ["${", "{{", "$(", "://", "/run/", "secrets/", "__", ".age", ".yaml"];
    starts.iter().any(|start| text.starts_with(start)) || contains.iter().any(|part| text.contains(part))
}

/// A word that asks to be replaced, or that says there is none.
fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let asks = [
        "changeme",
        "change-me",
        "change_me",
        "change me",
        "example",
        "placeholder",
        "your",
        "replace",
        "dummy",
        "redacted",
        "todo",
        "fixme",
        "insert",
        "xxxx",
        "****",
        "....",
        "secretfile",
        "notused",
        "not-used",
        "unused",
        "ignored",
        "disabled",
        "hidden",
        "invalid",
        "insecure",
    ];
    let whole = [
        "none", "null", "true", "false", "optional", "required", "prompt", "keyring", "gpg", "never", "auto",
        "external", "string", "text", "unset",
    ];
    let first = text.chars().next().unwrap_or_default();
    let single = text.chars().all(|next| next == first);
    asks.iter().any(|word| lower.contains(word)) || whole.contains(&lower.as_str()) || single
}

/// A default that everybody knows, or the field's own name.
fn is_common(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "admin",
        "root",
        "test",
        "testing",
        "guest",
        "user",
        "nixos",
        "demo",
        "default",
        "pass",
        "postgres",
        "mysql",
        "vagrant",
        "raspberry",
        "public",
        "foobar",
        "foo",
        "1234",
        "12345",
        "123456",
        "userpassword",
        "pwd",
    ]
    .contains(&lower.as_str())
        || words(text).last().is_some_and(|word| matches!(word.as_str(), "password" | "passwd" | "passphrase"))
}

/// Words joined by dashes, dots or underscores, with at most a number: a name,
/// not a secret.
fn is_words(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['-', '_', '.', '/', ':', ' ']).filter(|part| !part.is_empty()).collect();
    let is_uuid = parts.len() == 5 && parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]);
    !is_uuid
        && parts.len() > 1
        && parts.iter().all(|part| {
            part.chars().all(|next| next.is_ascii_digit())
                || part
                    .trim_end_matches(|next: char| next.is_ascii_digit())
                    .chars()
                    .all(|next| next.is_alphabetic())
        })
}

/// Whether a path or name speaks of a secret that is not public and not
/// encrypted. Key bindings and public keys are none.
pub(crate) fn speaks_of_secret(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let public = [
        ".pub",
        ".age",
        ".gpg",
        ".enc",
        ".asc",
        ".crt",
        ".cert",
        "which-key",
        "whichkey",
        "keymap",
        "keybind",
        "tokenizer",
        "tokenize",
        "example",
        "secrets.nix",
        ".md",
        "public",
    ];
    if public.iter().any(|word| lower.contains(word)) {
        return false;
    }
    let names = words(path);
    let has = |word: &str| names.iter().any(|name| name == word);
    let pair = |first: &str, second: &str| names.windows(2).any(|two| two[0] == first && two[1] == second);
    [
        "secret",
        "secrets",
        "password",
        "passwords",
        "passwd",
        "passphrase",
        "token",
        "tokens",
        "credential",
        "credentials",
        "creds",
        "privkey",
        "apikey",
    ]
    .iter()
    .any(|word| has(word))
        || pair("private", "key")
        || pair("api", "key")
        || pair("id", "rsa")
        || pair("id", "ed25519")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_every_spelling() {
        for name in ["password", "adminPassword", "SMTP_PASSWORD", "db-passwd"] {
            assert_eq!(secret_name(name), Some(SecretName::Password), "{name}");
        }
        for name in ["apiKey", "API_KEY", "auth_token", "clientSecret", "psk"] {
            assert_eq!(secret_name(name), Some(SecretName::Token), "{name}");
        }
        for name in [
            "passwordFile",
            "tokenPath",
            "tokenizer",
            "passwordAuthentication",
            "keymap",
            "publicKey",
            "secretName",
            "hashedPassword",
            "askPassword",
            "forgot_password",
        ] {
            assert_eq!(secret_name(name), None, "{name}");
        }
    }

    #[test]
    fn references_placeholders_and_prose_are_no_secrets() {
        for text in [
            "",
            "changeme",
            "CHANGE_ME_NOW",
            "/run/secrets/x",
            "$PASSWORD",
            "@password@",
            "env:PASSWORD",
            "!secret wifi",
            "<token>",
            "your-password-here",
            "The password of the user",
            "none",
            "xxxxxxxx",
            "SMTP_PASSWORD",
            "{{ password }}",
        ] {
            assert_eq!(likeness(SecretName::Password, text), Likeness::None, "{text}");
        }
        assert_eq!(likeness(SecretName::Password, "hunter2"), Likeness::Strong);
        assert_eq!(likeness(SecretName::Password, "correct-horse-battery"), Likeness::Strong);
        assert_eq!(likeness(SecretName::Password, "admin"), Likeness::Weak);
        assert_eq!(likeness(SecretName::Token, "wireguard-home-key2"), Likeness::None);
        assert_eq!(likeness(SecretName::Token, "github-token"), Likeness::None);
        assert_eq!(likeness(SecretName::Token, "b7f3A9c2D4e6F8a0B1c3"), Likeness::Strong);
    }

    #[test]
    fn paths_that_only_sound_secret_are_not() {
        for path in [
            "./which-key.nix",
            "./id_rsa.pub",
            "./keymap.json",
            "./tokenizer.json",
            "./secrets/db.age",
            "./keybindings.toml",
        ] {
            assert!(!speaks_of_secret(path), "{path}");
        }
        for path in
            ["./secrets/wifi.json", "../id_ed25519", "./db-password.txt", "./private-key.pem", "./githubToken"]
        {
            assert!(speaks_of_secret(path), "{path}");
        }
    }
}
