//! The PAM conversation: calls the function of PostgreSQL that asks the client for its password or
//! writes to the server's log.
//!
//! PostgreSQL allocates its responses with malloc. This module wipes and frees them. PostgreSQL
//! asks the client only for messages of the style `PAM_PROMPT_ECHO_OFF`; it logs the others.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::{self, NonNull};

use zeroize::Zeroize;

const PAM_SUCCESS: c_int = 0;
const PAM_PROMPT_ECHO_OFF: c_int = 1;
const PAM_ERROR_MSG: c_int = 3;

/// `struct pam_message`
#[repr(C)]
pub(crate) struct PamMessage {
    pub(crate) style: c_int,
    pub(crate) text: *const c_char,
}

/// `struct pam_response`
#[repr(C)]
pub(crate) struct PamResponse {
    pub(crate) text: *mut c_char,
    retcode: c_int,
}

type Converse = unsafe extern "C" fn(
    count: c_int,
    messages: *mut *const PamMessage,
    responses: *mut *mut PamResponse,
    data: *mut c_void,
) -> c_int;

/// `struct pam_conv`
#[repr(C)]
pub struct PamConv {
    pub(crate) converse: Option<Converse>,
    pub(crate) data: *mut c_void,
}

/// The conversation function, and the data that it must be called with.
pub(crate) struct Conversation {
    converse: Converse,
    data: *mut c_void,
}

impl Conversation {
    /// # Safety
    /// `conversation` is null, or its function and data are valid as long as this value exists.
    pub(crate) unsafe fn new(conversation: *const PamConv) -> Option<Self> {
        // SAFETY: passed on from the caller.
        let conversation = unsafe { conversation.as_ref() }?;
        Some(Self {
            converse: conversation.converse?,
            data: conversation.data,
        })
    }

    /// Asks the client for its password. Returns `None` if the client sent none.
    pub(crate) fn ask_for_password(&self) -> Option<Response> {
        self.exchange(PAM_PROMPT_ECHO_OFF, c"Password: ")
            .filter(|response| !response.text().is_null())
    }

    /// Writes a line to the server's log, as a PAM error.
    pub(crate) fn say(&self, line: &str) {
        // A NUL would end the line, and a line break would start a new one.
        let line = line.replace(char::is_control, "?");
        if let Ok(line) = CString::new(line) {
            self.exchange(PAM_ERROR_MSG, &line);
        }
    }

    fn exchange(&self, style: c_int, text: &CStr) -> Option<Response> {
        let message = PamMessage {
            style,
            text: text.as_ptr(),
        };
        let mut messages = ptr::from_ref(&message);
        let mut responses = ptr::null_mut();
        // SAFETY: one message with a C string, valid during the call, and a pointer for the
        // responses. The caller of `new` guarantees that the function is valid.
        let status =
            unsafe { (self.converse)(1, &raw mut messages, &raw mut responses, self.data) };
        // Created before the status is checked, so that every response is wiped and freed.
        let response = NonNull::new(responses).map(Response);
        response.filter(|_| status == PAM_SUCCESS)
    }
}

/// One response. Wiped and freed on drop, including after a panic.
pub(crate) struct Response(NonNull<PamResponse>);

impl Response {
    fn text(&self) -> *mut c_char {
        // SAFETY: it is an array of one response, because there was one message.
        unsafe { self.0.as_ref() }.text
    }

    pub(crate) fn as_c_str(&self) -> &CStr {
        if self.text().is_null() {
            return c"";
        }
        // SAFETY: a C string, valid until this value is dropped.
        unsafe { CStr::from_ptr(self.text()) }
    }

    /// Returns the text without the final NUL.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.as_c_str().to_bytes()
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        let text = self.text();
        // SAFETY: PostgreSQL allocated both with malloc, handed them over, and does not use them
        // any more. The text is a C string, so its bytes up to the NUL may be overwritten.
        unsafe {
            if !text.is_null() {
                std::slice::from_raw_parts_mut(text.cast::<u8>(), libc::strlen(text)).zeroize();
                libc::free(text.cast());
            }
            libc::free(self.0.as_ptr().cast());
        }
    }
}
