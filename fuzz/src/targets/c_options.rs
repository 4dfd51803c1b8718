//! The options of the C ABI, through its exported functions.

#![expect(unsafe_code, reason = "calls C functions")]

use std::ffi::{CStr, CString, c_char};
use std::mem::MaybeUninit;
use std::ptr::{NonNull, null};

use rdsign::ErrorCode;
use rdsign::inspect::parse;
use rdsign_c_rlib::error::{rdsign_error, rdsign_error_message};
use rdsign_c_rlib::options as c;
use rdsign_c_rlib::options::rdsign_options;
use rdsign_c_rlib::signer::{
    rdsign_signer, rdsign_signer_new, rdsign_signer_token_at, rdsign_token, rdsign_token_value,
};
use rdsign_c_rlib::status::{rdsign_status, rdsign_status_name};

use crate::hidden::check_hidden;

type SetText = unsafe extern "C" fn(Option<NonNull<rdsign_options>>, *const c_char) -> i32;
type SetNumber = extern "C" fn(Option<NonNull<rdsign_options>>, i64) -> i32;

const TEXTS: [(&str, SetText); 10] = [
    ("hostname", c::rdsign_options_set_hostname),
    ("username", c::rdsign_options_set_username),
    ("region", c::rdsign_options_set_region),
    ("access_key_id", c::rdsign_options_set_access_key_id),
    ("secret_access_key", c::rdsign_options_set_secret_access_key),
    ("session_token", c::rdsign_options_set_session_token),
    ("profile", c::rdsign_options_set_profile),
    ("role_arn", c::rdsign_options_set_role_arn),
    ("external_id", c::rdsign_options_set_external_id),
    ("role_session_name", c::rdsign_options_set_role_session_name),
];
const NUMBERS: [(&str, SetNumber); 3] = [
    ("port", c::rdsign_options_set_port),
    ("expires_in", c::rdsign_options_set_expires_in),
    (
        "credentials_timeout",
        c::rdsign_options_set_credentials_timeout,
    ),
];
const KEYS: [&str; 2] = ["access_key_id", "secret_access_key"];
const SECRETS: [&str; 2] = ["secret_access_key", "session_token"];

/// Each line sets an option: `NAME=VALUE`, or `NAME` for NULL. The line `time=SECONDS` chooses the
/// signing time. Bytes that are not UTF-8 are passed as they are.
pub(crate) fn c_options(data: &[u8]) {
    let mut options = c::rdsign_options_new();
    let pointer = Some(NonNull::from(&mut *options));
    let (mut secret, mut public) = (String::new(), String::new());
    let mut time = 1_724_709_600;
    // Without both keys, with a profile or a role, a token needs files and a network.
    let (mut keys, mut more) = (Vec::new(), false);
    let mut refused = None;
    for line in data.split(|byte| *byte == b'\n') {
        let mut parts = line.splitn(2, |byte| *byte == b'=');
        let name = String::from_utf8_lossy(parts.next().unwrap_or_default());
        let value = parts.next();
        let shown = String::from_utf8_lossy(value.unwrap_or_default());
        match SECRETS.contains(&&*name) {
            true => secret += &format!("{shown}\n"),
            false => public += &format!("{shown}\n"),
        }
        more |= ["profile", "role_arn"].contains(&&*name);
        keys.extend(
            KEYS.into_iter()
                .filter(|key| *key == name && value.is_some()),
        );
        let status = if let Some((_, set)) = TEXTS.iter().find(|(known, _)| *known == name) {
            let text = value.and_then(|value| CString::new(value).ok());
            let text = text.as_ref().map_or(null(), |text| text.as_ptr());
            // SAFETY: the options and the text live.
            unsafe { set(pointer, text) }
        } else if let Some((_, set)) = NUMBERS.iter().find(|(known, _)| *known == name) {
            set(pointer, shown.parse().unwrap_or(i64::MAX))
        } else {
            if name == "time" {
                time = shown.parse().unwrap_or(time);
            }
            continue;
        };
        if status != 0 {
            refused.get_or_insert(status);
        }
    }
    let signer = made::<rdsign_signer>(|signer, error| {
        rdsign_signer_new(Some(&options), Some(signer), Some(error))
    });
    drop(options);
    let signer = match signer {
        Ok(signer) => signer,
        Err((status, message)) => {
            assert!(refused.is_none_or(|refused| refused == status), "{message}");
            return check_hidden(&message, &secret, &public);
        }
    };
    assert_eq!(refused, None);
    if more || !KEYS.iter().all(|key| keys.contains(key)) {
        return;
    }
    let token = made::<rdsign_token>(|token, error| {
        rdsign_signer_token_at(Some(&signer), time, Some(token), Some(error))
    });
    match token {
        Ok(token) => {
            // SAFETY: a token's value is a C string.
            let value = unsafe { CStr::from_ptr(rdsign_token_value(Some(&token))) };
            let parts = parse(value.to_str().unwrap()).unwrap();
            let is_named = |text: &str| public.contains(text);
            assert!(parts.username().is_none_or(is_named) && is_named(parts.endpoint().hostname()));
            // A secret may have the same text as the signing time.
            let (_, date) = value.to_str().unwrap().split_once("X-Amz-Date=").unwrap();
            public.push_str(date.split('&').next().unwrap());
            check_hidden(&format!("{parts:?}"), &secret, &public);
        }
        Err((status, message)) => {
            assert_eq!(status, ErrorCode::InvalidSigningTime as i32, "{message}");
            check_hidden(&message, &secret, &public);
        }
    }
}

/// Calls a function that makes an object, and returns the object, or the status and the message.
fn made<T>(
    call: impl FnOnce(&mut MaybeUninit<Box<T>>, &mut MaybeUninit<Box<rdsign_error>>) -> i32,
) -> Result<Box<T>, (i32, String)> {
    let (mut object, mut error) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    let status = call(&mut object, &mut error);
    if status == 0 {
        // SAFETY: a function that returns 0 has written its output.
        return Ok(unsafe { object.assume_init() });
    }
    // SAFETY: a function that fails has written its error.
    let error = unsafe { error.assume_init() };
    // SAFETY: both are C strings.
    let [message, name] = unsafe {
        [
            rdsign_error_message(Some(&error)),
            rdsign_status_name(status),
        ]
        .map(|text| CStr::from_ptr(text))
    };
    let message = message.to_str().unwrap().to_owned();
    assert!(!message.is_empty() && name != c"UNKNOWN");
    assert_ne!(status, rdsign_status::RDSIGN_INTERNAL as i32, "{message}");
    Err((status, message))
}
