//! Calls the functions as PostgreSQL does, with a conversation function for tests.

use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;

use crate::conversation::{PamConv, PamMessage, PamResponse};
use crate::*;

/// How the client answers when it is asked for its password.
enum Client {
    Says(&'static str),
    GoesAway,
    AnswersNothing,
    AnswersNull,
}

struct Heard {
    client: Client,
    lines: Vec<String>,
}

/// Like PostgreSQL's: allocates with malloc, and returns no response if it fails.
unsafe extern "C" fn converse(
    count: c_int,
    messages: *mut *const PamMessage,
    responses: *mut *mut PamResponse,
    data: *mut c_void,
) -> c_int {
    assert_eq!(count, 1);
    // SAFETY: the arguments are as pam_conv requires; the data is the `Heard` of this test.
    unsafe {
        let heard = &mut *data.cast::<Heard>();
        let message = &**messages;
        let text = if message.style == 1 {
            match heard.client {
                Client::Says(password) => {
                    let password = CString::new(password).unwrap();
                    libc::strdup(password.as_ptr())
                }
                Client::GoesAway => return PAM_CONV_ERR,
                Client::AnswersNothing => return PAM_SUCCESS,
                Client::AnswersNull => ptr::null_mut(),
            }
        } else {
            let line = CStr::from_ptr(message.text).to_str().unwrap();
            heard.lines.push(line.to_owned());
            libc::strdup(c"".as_ptr())
        };
        let response = libc::calloc(1, size_of::<PamResponse>()).cast::<PamResponse>();
        (*response).text = text;
        *responses = response;
    }
    PAM_SUCCESS
}

/// Runs one login. Returns the status of pam_authenticate and the lines for the log.
fn log_in(client: Client) -> (c_int, Vec<String>) {
    let mut heard = Heard {
        client,
        lines: Vec::new(),
    };
    let conversation = PamConv {
        converse: Some(converse),
        data: (&raw mut heard).cast(),
    };
    let mut handle = ptr::null_mut();
    // SAFETY: the calls are in PAM's order, and all arguments are valid until the last one.
    let status = unsafe {
        let start = pam_start(
            c"rdsign".as_ptr(),
            c"pgsql@".as_ptr(),
            &raw const conversation,
            &raw mut handle,
        );
        assert_eq!(start, PAM_SUCCESS);
        assert_eq!(
            pam_set_item(handle, PAM_USER, c"iam_user".as_ptr().cast()),
            PAM_SUCCESS
        );
        assert_eq!(
            pam_set_item(handle, PAM_RHOST, c"127.0.0.1".as_ptr().cast()),
            PAM_SUCCESS
        );
        assert_eq!(
            pam_set_item(handle, PAM_CONV, (&raw const conversation).cast()),
            PAM_SUCCESS
        );
        let status = pam_authenticate(handle, 0);
        assert_eq!(pam_end(handle, status), PAM_SUCCESS);
        status
    };
    (status, heard.lines)
}

#[test]
fn a_client_that_disconnects_is_not_a_refusal() {
    for client in [
        Client::GoesAway,
        Client::AnswersNothing,
        Client::AnswersNull,
    ] {
        assert_eq!(log_in(client), (PAM_CONV_ERR, vec![]));
    }
}

#[test]
fn without_a_configuration_every_login_is_refused() {
    let (status, lines) = log_in(Client::Says("anything"));
    assert_eq!(status, PAM_AUTH_ERR);
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].starts_with("rdsign: refused (broken-configuration): "),
        "{}",
        lines[0]
    );
}

#[test]
fn a_panic_is_a_refusal() {
    assert_eq!(guarded(|| panic!("a secret")), PAM_SYSTEM_ERR);
}

#[test]
fn null_handles_are_handled() {
    let nothing = ptr::null_mut();
    // SAFETY: these functions allow null.
    unsafe {
        assert_eq!(pam_set_item(nothing, PAM_USER, ptr::null()), PAM_SYSTEM_ERR);
        assert_eq!(pam_authenticate(nothing, 0), PAM_SYSTEM_ERR);
        assert_eq!(pam_end(nothing, 0), PAM_SUCCESS);
        let text: *const c_char = pam_strerror(nothing, PAM_AUTH_ERR);
        assert_eq!(CStr::from_ptr(text), c"Authentication failure");
    }
}
