//! Values that go into statements and come out of them, the same for both
//! databases.
//!
//! A [`Value`] knows its type also when it is empty, because PostgreSQL asks
//! for it. A time is `timestamptz` in PostgreSQL and text of fixed width in
//! SQLite (`2025-11-21T12:00:00.000000Z`), which sorts by time. A [`Cell`] is
//! what a query gave; booleans and times of SQLite are numbers and text there,
//! so the reader says what it expects.

use jiff::Timestamp;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef};
use sqlx::{Encode, Postgres, Type};
use uuid::Uuid;

/// Microseconds from 1970 to 2000, where PostgreSQL begins to count.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;
/// What PostgreSQL puts before the text of a `jsonb`.
const JSONB_VERSION: u8 = 1;

/// A value for a statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// A number without fraction.
    Integer(Option<i64>),
    /// A number.
    Real(Option<f64>),
    /// Yes or no.
    Boolean(Option<bool>),
    /// Text.
    Text(Option<String>),
    /// JSON as text.
    Json(Option<String>),
    /// A moment.
    Time(Option<Timestamp>),
    /// A uuid.
    Uuid(Option<Uuid>),
}

macro_rules! value_from {
    ($($kind:ident: $($from:ty => $convert:expr),+;)+) => {$($(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$kind(Some($convert(value)))
            }
        }
        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Self {
                Self::$kind(value.map($convert))
            }
        }
    )+)+};
}

value_from! {
    Integer: i64 => |value| value, i32 => i64::from, u32 => i64::from, u8 => i64::from,
        u64 => |value| i64::try_from(value).unwrap_or(i64::MAX), usize => |value| i64::try_from(value).unwrap_or(i64::MAX);
    Real: f64 => |value| value;
    Boolean: bool => |value| value;
    Text: String => storable, &str => |value: &str| storable(value.to_owned()), &String => |value: &String| storable(value.clone());
    Time: Timestamp => |value| value;
    Uuid: Uuid => |value| value;
}

/// PostgreSQL refuses the character NUL in text, and nobody needs it.
fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// Values of a statement, in the order of `$1`, `$2` and so on.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        Vec::<$crate::fleet::value::Value>::from([$($crate::fleet::value::Value::from($value)),*])
    };
}
pub(crate) use values;

/// A moment as SQLite stores it: UTC, always equally wide.
pub(crate) fn time_text(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// A moment for PostgreSQL.
#[derive(Clone, Copy)]
pub(super) struct PostgresTime(pub(super) Timestamp);

impl Type<Postgres> for PostgresTime {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(sqlx::postgres::types::Oid(1184))
    }
}

impl PgHasArrayType for PostgresTime {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(sqlx::postgres::types::Oid(1185))
    }
}

impl Encode<'_, Postgres> for PostgresTime {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let microseconds = self.0.as_microsecond().saturating_sub(POSTGRES_EPOCH);
        buffer.extend_from_slice(&microseconds.to_be_bytes());
        Ok(IsNull::No)
    }
}

/// A uuid for PostgreSQL.
#[derive(Clone, Copy)]
pub(super) struct PostgresUuid(pub(super) Uuid);

impl Type<Postgres> for PostgresUuid {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(sqlx::postgres::types::Oid(2950))
    }
}

impl Encode<'_, Postgres> for PostgresUuid {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}

/// JSON for PostgreSQL, as text that it checks.
#[derive(Clone, Copy)]
pub(super) struct PostgresJson<'a>(pub(super) &'a str);

impl Type<Postgres> for PostgresJson<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(sqlx::postgres::types::Oid(3802))
    }
}

impl Encode<'_, Postgres> for PostgresJson<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.push(JSONB_VERSION);
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}

/// What a query gave in one place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// Nothing.
    Null,
    /// A number without fraction.
    Integer(i64),
    /// A number.
    Real(f64),
    /// Yes or no; SQLite gives a number.
    Boolean(bool),
    /// Text; in SQLite also a moment.
    Text(String),
    /// A moment.
    Time(Timestamp),
}

impl Cell {
    /// As a number without fraction.
    pub(crate) fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Boolean(yes) => Some(i64::from(*yes)),
            _ => None,
        }
    }

    /// As a number.
    pub(crate) fn real(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Real(number) => Some(*number),
            _ => None,
        }
    }

    /// As yes or no.
    pub(crate) fn boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(yes) => Some(*yes),
            Self::Integer(number) => Some(*number != 0),
            _ => None,
        }
    }

    /// As text.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// As a moment.
    pub(crate) fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Time(time) => Some(*time),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }
}

/// How the values of a column of PostgreSQL are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PostgresKind {
    Boolean,
    Integer2,
    Integer4,
    Integer8,
    Real4,
    Real8,
    Numeric,
    Time,
    Uuid,
    Text,
    Jsonb,
    /// The schema does not use it.
    Other,
}

impl PostgresKind {
    /// By the type of the column; asked once for all its values.
    pub(super) fn of(info: &PgTypeInfo) -> Self {
        use sqlx::TypeInfo;
        match info.name() {
            "BOOL" => Self::Boolean,
            "INT2" => Self::Integer2,
            "INT4" => Self::Integer4,
            "INT8" => Self::Integer8,
            "FLOAT4" => Self::Real4,
            "FLOAT8" => Self::Real8,
            "NUMERIC" => Self::Numeric,
            "TIMESTAMPTZ" => Self::Time,
            "UUID" => Self::Uuid,
            "TEXT" | "VARCHAR" | "NAME" | "BPCHAR" | "CHAR" | "UNKNOWN" | "JSON" => Self::Text,
            "JSONB" => Self::Jsonb,
            _ => Self::Other,
        }
    }
}

/// Reads one place of a row of PostgreSQL in its binary form. Types that the
/// schema does not use are given as an error, not as something else.
pub(super) fn postgres_cell(kind: PostgresKind, value: &PgValueRef<'_>) -> Result<Cell, BoxDynError> {
    use sqlx::{TypeInfo, ValueRef};
    if value.is_null() {
        return Ok(Cell::Null);
    }
    let bytes = value.as_bytes()?;
    let text = |bytes| std::str::from_utf8(bytes).map(|text| Cell::Text(text.to_owned()));
    Ok(match kind {
        PostgresKind::Boolean => Cell::Boolean(bytes != [0]),
        PostgresKind::Integer2 => Cell::Integer(i64::from(i16::from_be_bytes(bytes.try_into()?))),
        PostgresKind::Integer4 => Cell::Integer(i64::from(i32::from_be_bytes(bytes.try_into()?))),
        PostgresKind::Integer8 => Cell::Integer(i64::from_be_bytes(bytes.try_into()?)),
        PostgresKind::Real4 => Cell::Real(f64::from(f32::from_be_bytes(bytes.try_into()?))),
        PostgresKind::Real8 => Cell::Real(f64::from_be_bytes(bytes.try_into()?)),
        PostgresKind::Numeric => Cell::Real(numeric(bytes).ok_or("a number that cannot be read")?),
        PostgresKind::Time => {
            let microseconds = i64::from_be_bytes(bytes.try_into()?).saturating_add(POSTGRES_EPOCH);
            Cell::Time(Timestamp::from_microsecond(microseconds)?)
        }
        PostgresKind::Uuid => Cell::Text(Uuid::from_slice(bytes)?.to_string()),
        PostgresKind::Text => text(bytes)?,
        PostgresKind::Jsonb => match bytes {
            [JSONB_VERSION, bytes @ ..] => text(bytes)?,
            _ => return Err("JSON of a form that nix-deploy does not know".into()),
        },
        PostgresKind::Other => {
            let info = value.type_info();
            return Err(format!("a value of type {}, which nix-deploy does not use", info.name()).into());
        }
    })
}

/// PostgreSQL's binary `numeric`: digits to the base 10000, the weight of the
/// first, a sign, and how many decimals are shown.
fn numeric(bytes: &[u8]) -> Option<f64> {
    let word = |index: usize| Some(i16::from_be_bytes(bytes.get(index * 2..index * 2 + 2)?.try_into().ok()?));
    let (count, weight, sign) = (word(0)?, word(1)?, word(2)?);
    if !matches!(sign, 0 | 0x4000) {
        return None;
    }
    let mut number = 0.0;
    for index in 0..usize::try_from(count).ok()? {
        let power = i32::from(weight) - i32::try_from(index).ok()?;
        number += f64::from(word(4 + index)?) * 10_000_f64.powi(power);
    }
    // The sum of powers differs from the decimal in the last bits; nothing shows more than two decimals.
    let number = (number * 1e6).round() / 1e6;
    Some(if sign == 0 { number } else { -number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_sqlite_are_equally_wide_and_sort_by_time() {
        let times = ["2025-11-21T12:00:00Z", "2025-11-21T12:00:00.5Z", "2025-11-21T12:00:00.123456789Z"];
        let mut texts: Vec<String> = times.iter().map(|time| time_text(time.parse().unwrap())).collect();
        assert!(texts.iter().all(|text| text.len() == "2025-11-21T12:00:00.000000Z".len()), "{texts:?}");
        texts.sort();
        assert_eq!(texts[1], "2025-11-21T12:00:00.123456Z");
        assert_eq!(Cell::Text(texts[2].clone()).time(), Some(times[1].parse().unwrap()));
    }

    #[test]
    fn the_binary_numbers_of_postgresql_are_read() {
        let encode = |words: &[i16]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
        assert_eq!(numeric(&encode(&[2, 0, 0, 2, 12, 3400])), Some(12.34));
        assert_eq!(numeric(&encode(&[2, 1, 0x4000, 0, 1, 5])), Some(-10_005.0));
        assert_eq!(numeric(&encode(&[0, 0, 0, 2])), Some(0.0));
        assert_eq!(numeric(&encode(&[1, 0, -0x4000, 0, 1])), None);
        assert_eq!(numeric(&[0, 1]), None);
    }

    #[test]
    fn an_empty_value_keeps_its_type() {
        assert_eq!(values![None::<i64>, None::<&str>], [Value::Integer(None), Value::Text(None)]);
        assert_eq!(values!["a\0b"], [Value::Text(Some("a\u{fffd}b".to_owned()))]);
    }
}
