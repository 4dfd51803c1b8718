//! Converts times to and from the texts of Signature Version 4 (`20240826T220000Z`, whole seconds
//! in UTC) and RFC 3339.
//!
//! Nothing here reads a clock. A `Timestamp` is always from 1970 to 9999, so formatting one never
//! fails.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::error::{Error, ErrorCode};
use crate::message::quoted;

const SECONDS_PER_DAY: i64 = 86_400;
/// 9999-12-31T23:59:59Z
const LAST: i64 = 253_402_300_799;

/// A time from 1970-01-01T00:00:00Z to 9999-12-31T23:59:59Z, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp(i64);

impl Timestamp {
    /// Converts seconds since 1970.
    pub(crate) fn from_unix_seconds(seconds: i64) -> Result<Self, Error> {
        if (0..=LAST).contains(&seconds) {
            return Ok(Self(seconds));
        }
        Err(Error::new(
            ErrorCode::InvalidSigningTime,
            format!(
                "signing time: {seconds} seconds since 1970 is out of range; \
                 accepted: 1970-01-01T00:00:00Z to 9999-12-31T23:59:59Z"
            ),
        ))
    }

    /// Converts a system time. Rounds down to whole seconds.
    pub(crate) fn from_system_time(time: SystemTime) -> Result<Self, Error> {
        let seconds = match time.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(before) => {
                let before = before.duration();
                let whole = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
                whole.saturating_neg() - i64::from(before.subsec_nanos() > 0)
            }
        };
        Self::from_unix_seconds(seconds)
    }

    /// Parses the text of an `X-Amz-Date`. Accepts only the form `YYYYMMDDTHHMMSSZ`.
    pub(crate) fn from_amz_date(text: &str) -> Option<Self> {
        let digits = |range: std::ops::Range<usize>| {
            let digits = text.get(range)?;
            digits.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
            digits.parse::<u16>().ok()
        };
        let two = |range| digits(range).map(|number| number as u8);
        if text.len() != 16 || text.as_bytes()[8] != b'T' || text.as_bytes()[15] != b'Z' {
            return None;
        }
        let month = time::Month::try_from(two(4..6)?).ok()?;
        let date = time::Date::from_calendar_date(i32::from(digits(0..4)?), month, two(6..8)?);
        let time = time::Time::from_hms(two(9..11)?, two(11..13)?, two(13..15)?);
        let moment = OffsetDateTime::new_utc(date.ok()?, time.ok()?);
        Self::from_unix_seconds(moment.unix_timestamp()).ok()
    }

    #[cfg(test)]
    pub(crate) fn unix_seconds(self) -> i64 {
        self.0
    }

    pub(crate) fn system_time(self) -> SystemTime {
        // A Timestamp is never negative.
        UNIX_EPOCH + Duration::from_secs(self.0.unsigned_abs())
    }

    /// Returns the day in days since 1970-01-01. A signing key is derived for one day.
    pub(crate) fn day(self) -> i64 {
        self.0 / SECONDS_PER_DAY
    }

    /// Formats the time as `YYYYMMDDTHHMMSSZ`.
    pub(crate) fn amz_date(self) -> AmzDate {
        let moment = OffsetDateTime::from_unix_timestamp(self.0)
            .expect("1970 to 9999 is within the calendar's range");
        let (year, month, day) = moment.to_calendar_date();
        let mut text = *b"YYYYMMDDThhmmssZ";
        put(&mut text, 0, (year / 100) as u8);
        put(&mut text, 2, (year % 100) as u8);
        put(&mut text, 4, u8::from(month));
        put(&mut text, 6, day);
        AmzDate(text).at(self)
    }
}

/// Writes a number from 0 to 99 as two digits.
fn put(text: &mut [u8; AMZ_DATE_LENGTH], at: usize, number: u8) {
    text[at] = b'0' + number / 10;
    text[at + 1] = b'0' + number % 10;
}

const AMZ_DATE_LENGTH: usize = 16;

/// The text of an `X-Amz-Date`.
pub(crate) struct AmzDate([u8; AMZ_DATE_LENGTH]);

impl AmzDate {
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits and letters")
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Formats another time of the same day. Skips the calendar computation, which would take
    /// longer than the rest.
    pub(crate) fn at(&self, time: Timestamp) -> Self {
        let second_of_day = (time.0 % SECONDS_PER_DAY) as u32;
        let mut text = self.0;
        put(&mut text, 9, (second_of_day / 3600) as u8);
        put(&mut text, 11, (second_of_day / 60 % 60) as u8);
        put(&mut text, 13, (second_of_day % 60) as u8);
        Self(text)
    }

    /// Returns the date, `YYYYMMDD`, for the credential scope.
    pub(crate) fn date(&self) -> &str {
        &self.as_str()[..8]
    }
}

/// Converts seconds since 1970, which may be negative. Returns `None` if the system cannot
/// represent the time.
pub fn from_unix_seconds(seconds: i64) -> Option<SystemTime> {
    moment(Duration::from_secs(seconds.unsigned_abs()), seconds < 0)
}

/// Converts milliseconds since 1970, which may be negative. Returns `None` if the system cannot
/// represent the time.
pub fn from_unix_milliseconds(milliseconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_millis(milliseconds.unsigned_abs());
    moment(distance, milliseconds < 0)
}

fn moment(distance: Duration, is_before_1970: bool) -> Option<SystemTime> {
    match is_before_1970 {
        true => UNIX_EPOCH.checked_sub(distance),
        false => UNIX_EPOCH.checked_add(distance),
    }
}

/// Converts a time to whole milliseconds since 1970. Rounds down, so that a reported expiry is
/// never too late.
pub fn to_unix_milliseconds(time: SystemTime) -> i64 {
    let milliseconds = |duration: Duration| i64::try_from(duration.as_millis());
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => milliseconds(since).unwrap_or(i64::MAX),
        Err(before) => {
            let distance = before.duration() + Duration::from_nanos(999_999);
            milliseconds(distance).map_or(i64::MIN, |value| -value)
        }
    }
}

/// Converts a time to whole seconds since 1970. Rounds down.
pub fn to_unix_seconds(time: SystemTime) -> i64 {
    to_unix_milliseconds(time).div_euclid(1000)
}

/// Parses an RFC 3339 time with any offset, such as `2024-08-26T22:00:00Z`.
///
/// # Errors
/// [`ErrorCode::InvalidSigningTime`] if the text is not such a time.
pub fn parse_rfc3339(text: &str) -> Result<SystemTime, Error> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok();
    moment
        .map(SystemTime::from)
        .ok_or_else(|| not_a_time(text, ErrorCode::InvalidSigningTime, "signing time"))
}

/// Reads when credentials expire, from a field or variable of that name.
pub(crate) fn parse_expiry(text: &str, field: &str) -> Result<SystemTime, Error> {
    expiry(text).ok_or_else(|| not_a_time(text, ErrorCode::CredentialsFailed, field))
}

fn not_a_time(text: &str, code: ErrorCode, field: &str) -> Error {
    let message = format!(
        "{field}: {} is not a time; accepted: RFC 3339, such as 2024-08-26T22:00:00Z",
        quoted(text)
    );
    Error::new(code, message)
}

/// An expiry in the forms that the AWS CLI reads, and that older versions of it wrote: RFC 3339, a space
/// for the T, `UTC`, `GMT`, `+0000` or `+00` for the zone, or no separators at all. A time without a zone
/// is refused, as by the AWS CLI.
fn expiry(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    if let Some(moment) = Timestamp::from_amz_date(text) {
        return Some(moment.system_time());
    }
    let (date, rest) = text.split_at_checked(10)?;
    let time = rest.strip_prefix(['T', 't', ' '])?;
    let zone_at = time.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.' | ','))?;
    let (clock, zone) = time.split_at(zone_at);
    let zone = match zone.trim_start() {
        "Z" | "z" | "UTC" | "GMT" => "Z".to_owned(),
        offset => {
            let (sign, digits) = offset.split_at_checked(1)?;
            let digits = digits.replace(':', "");
            match digits.len() {
                2 => format!("{sign}{digits}:00"),
                4 => format!("{sign}{}:{}", digits.get(..2)?, digits.get(2..)?),
                _ => return None,
            }
        }
    };
    let clock = clock.replace(',', ".");
    let seconds = if clock.len() == 5 { ":00" } else { "" };
    let text = format!("{date}T{clock}{seconds}{zone}");
    let moment = OffsetDateTime::parse(&text, &Rfc3339).ok()?;
    Some(moment.into())
}

/// Formats a time as RFC 3339 in UTC, such as `2024-08-26T22:00:00Z`. Rounds down to whole seconds.
/// Returns `a time before 1970` or `a time after 9999` if the time is out of that range.
pub fn format_rfc3339(time: SystemTime) -> String {
    format_unix_seconds(to_unix_seconds(time))
}

/// Formats seconds since 1970 like [`format_rfc3339`].
pub fn format_unix_seconds(seconds: i64) -> String {
    let text = Timestamp::from_unix_seconds(seconds).ok().and_then(|time| {
        let moment = OffsetDateTime::from_unix_timestamp(time.0).ok()?;
        moment.format(&Rfc3339).ok()
    });
    text.unwrap_or_else(|| match seconds < 0 {
        true => "a time before 1970".to_owned(),
        false => "a time after 9999".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amz_date(seconds: i64) -> String {
        let timestamp = Timestamp::from_unix_seconds(seconds).unwrap();
        timestamp.amz_date().as_str().to_owned()
    }

    #[test]
    fn amz_date_is_correct_at_the_edges_of_the_calendar() {
        for (seconds, text) in [
            (0, "19700101T000000Z"),
            (951_782_400, "20000229T000000Z"),
            (1_709_164_800, "20240229T000000Z"),
            (1_735_689_599, "20241231T235959Z"),
            (4_107_542_400, "21000301T000000Z"),
            (LAST, "99991231T235959Z"),
        ] {
            assert_eq!(amz_date(seconds), text);
            let read = Timestamp::from_amz_date(text).unwrap();
            assert_eq!(read.unix_seconds(), seconds);
        }
    }

    #[test]
    fn other_texts_are_not_an_amz_date() {
        for text in [
            "",
            "20240230T000000Z",
            "20241301T000000Z",
            "20240101T240000Z",
            "20240101T006000Z",
            "20240101t000000Z",
            "20240101T000000",
            "2024-01-01T00:00",
            "+0240101T000000Z",
            "20240101T+00000Z",
            "２0240101T0000Z",
        ] {
            assert_eq!(Timestamp::from_amz_date(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_just_before_1970_is_rejected() {
        let before = UNIX_EPOCH - Duration::from_millis(1);
        let error = Timestamp::from_system_time(before).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidSigningTime);
        let after = UNIX_EPOCH + Duration::from_millis(1);
        assert_eq!(
            Timestamp::from_system_time(after).unwrap().unix_seconds(),
            0
        );
    }

    #[test]
    fn formatting_a_time_out_of_range_does_not_panic() {
        let far = Duration::from_secs(1 << 62);
        assert_eq!(format_rfc3339(UNIX_EPOCH - far), "a time before 1970");
        assert_eq!(format_rfc3339(UNIX_EPOCH + far), "a time after 9999");
    }

    #[test]
    fn unix_times_are_rounded_down() {
        for milliseconds in [0, 1, 1_724_709_600_123, -1, -999, -1000] {
            let time = from_unix_milliseconds(milliseconds).unwrap();
            assert_eq!(to_unix_milliseconds(time), milliseconds);
            assert_eq!(to_unix_seconds(time), milliseconds.div_euclid(1000));
        }
        assert_eq!(from_unix_seconds(-5), from_unix_milliseconds(-5000));
        for (nanoseconds, before, after) in [(1, -1, 0), (999_999, -1, 0), (1_000_000, -1, 1)] {
            let distance = Duration::from_nanos(nanoseconds);
            assert_eq!(to_unix_milliseconds(UNIX_EPOCH - distance), before);
            assert_eq!(to_unix_milliseconds(UNIX_EPOCH + distance), after);
        }
    }

    #[test]
    fn rfc3339_is_parsed_and_formatted() {
        let time = parse_rfc3339("2024-08-27T00:00:00.5+02:00").unwrap();
        assert_eq!(format_rfc3339(time), "2024-08-26T22:00:00Z");
        assert!(parse_rfc3339("yesterday").is_err());
    }

    #[test]
    fn an_expiry_is_read_in_every_form_that_the_aws_cli_reads() {
        for text in [
            "2024-08-26T22:00:00Z",
            "2024-08-26T22:00:00UTC",
            "2024-08-26 22:00:00 GMT",
            "2024-08-26T22:00:00+0000",
            "2024-08-26T22:00:00+00",
            "2024-08-26T22:00Z",
            "2024-08-26T22:00:00.123456789Z",
            "2024-08-26T22:00:00,5Z",
            "2024-08-27 00:00:00+02:00",
            "2024-08-26T16:30:00-0530",
            " 2024-08-26T22:00:00Z\n",
        ] {
            let time = expiry(text).map(format_rfc3339);
            assert_eq!(time.as_deref(), Some("2024-08-26T22:00:00Z"), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_expiry() {
        for text in [
            "",
            "soon",
            "1724709600",
            "2024-08-26",
            "2024-08-26T22:00:00",
            "2024-08-26T22:00:00 CET",
            "2024-08-26T22:00:00+1",
            "2024-13-26T22:00:00Z",
            "2024-08-26T25:00:00Z",
            "２024-08-26T22:00:00Z",
            "2024-08-26T22:00:00+é0",
            "2024-08-26T22:00:00é",
        ] {
            assert_eq!(expiry(text), None, "{text}");
        }
    }
}
