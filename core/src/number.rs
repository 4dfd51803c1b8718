//! Holds a number from another language, not yet checked. Other languages may pass fractions, NaN
//! or arbitrarily large integers where a port is expected. Nothing is truncated or rounded: a
//! number that is not a 64-bit integer is kept as text for the error message.

use std::fmt;

/// A number for an option such as a port. Its range is not yet checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Number(Inner);

#[derive(Clone, Debug, PartialEq)]
enum Inner {
    Integer(i64),
    Other(String),
    Text(String),
}

impl Number {
    /// Keeps a number that is not a 64-bit integer, as its language writes it.
    pub fn other(text: impl Into<String>) -> Self {
        Self(Inner::Other(text.into()))
    }

    /// Reads a number that is given as text. Keeps other text, which the error message quotes.
    pub fn parse(text: &str) -> Self {
        let parsed = text.parse().map(Inner::Integer);
        Self(parsed.unwrap_or_else(|_| Inner::Text(text.to_owned())))
    }

    /// Returns the integer if it is in the range.
    pub(crate) fn within<T>(&self, accepted: std::ops::RangeInclusive<T>) -> Option<T>
    where
        T: TryFrom<i64> + PartialOrd,
    {
        match self.0 {
            Inner::Integer(integer) => T::try_from(integer)
                .ok()
                .filter(|integer| accepted.contains(integer)),
            Inner::Other(_) | Inner::Text(_) => None,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Integer(integer) => integer.fmt(f),
            Inner::Other(text) => f.write_str(&crate::message::shortened(text)),
            Inner::Text(text) => f.write_str(&crate::message::quoted(text)),
        }
    }
}

macro_rules! from_integers {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Number {
            fn from(integer: $integer) -> Self {
                Self(Inner::Integer(integer.into()))
            }
        }
    )*};
}

from_integers!(i8, i16, i32, i64, u8, u16, u32);

impl From<f64> for Number {
    /// Converts an integer of at most 2^53 in size, and -0 to 0. Keeps any other number as text.
    fn from(number: f64) -> Self {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if number.fract() == 0.0 && number.abs() <= EXACT {
            Self(Inner::Integer(number as i64))
        } else {
            Self::other(number.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integral_float_equals_its_integer() {
        for (float, integer) in [(5432.0, 5432), (-0.0, 0), (-1.0, -1), (65535.0, 65535)] {
            assert_eq!(Number::from(float), Number::from(integer), "{float}");
        }
    }

    #[test]
    fn numbers_are_not_rounded_into_range() {
        for number in [5432.7, f64::NAN, f64::INFINITY, 1e300, 0.5, 65_535.000_01] {
            assert_eq!(Number::from(number).within(0..=u16::MAX), None, "{number}");
        }
        assert_eq!(Number::from(1_i64 << 32 | 5432).within(0..=u16::MAX), None);
    }

    #[test]
    fn text_is_an_integer_or_is_quoted() {
        assert_eq!(Number::parse("5432"), Number::from(5432));
        for (text, shown) in [("", "\"\""), ("5432.0", "\"5432.0\""), ("fünf", "\"fünf\"")] {
            let number = Number::parse(text);
            assert_eq!(number.within(0..=u16::MAX), None, "{text}");
            assert_eq!(number.to_string(), shown);
        }
    }

    #[test]
    fn a_long_number_is_truncated_in_the_message() {
        let shown = Number::other("9".repeat(5000)).to_string();
        assert!(shown.starts_with("999") && shown.len() < 110, "{shown}");
    }
}
