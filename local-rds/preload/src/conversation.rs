//! PAM's way back into PostgreSQL: the function through which the client is asked for its
//! password and the log is told something.
//!
//! What comes back was allocated by PostgreSQL with malloc and is ours to free, after it was
//! wiped. PostgreSQL asks the client only when it gets `PAM_PROMPT_ECHO_OFF`.

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

/// A function to converse with, and what it wants to be called with.
pub(crate) struct Conversation {
    converse: Converse,
    data: *mut c_void,
}

impl Conversation {
    /// # Safety
    /// `conversation` is null, or what it points to keeps its promise as long as this value lives.
    pub(crate) unsafe fn new(conversation: *const PamConv) -> Option<Self> {
        // SAFETY: passed on from the caller.
        let conversation = unsafe { conversation.as_ref() }?;
        Some(Self {
            converse: conversation.converse?,
            data: conversation.data,
        })
    }

    /// `None` where the client gave none.
    pub(crate) fn ask_for_password(&self) -> Option<Response> {
        self.exchange(PAM_PROMPT_ECHO_OFF, c"Password: ")
            .filter(|response| !response.text().is_null())
    }

    /// Puts a line into the server's log, as an error of PAM's.
    pub(crate) fn say(&self, line: &str) {
        // A NUL would end it, so what could hold one is shown escaped like the rest of its kind.
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
        // SAFETY: one message with a C string, valid during the call, and a place for the
        // responses; the promise of the function is `new`'s.
        let status =
            unsafe { (self.converse)(1, &raw mut messages, &raw mut responses, self.data) };
        // Made before the status is looked at: whatever came back is wiped and freed.
        let response = NonNull::new(responses).map(Response);
        response.filter(|_| status == PAM_SUCCESS)
    }
}

/// One response. Wiped and freed on drop, on the way of a panic too.
pub(crate) struct Response(NonNull<PamResponse>);

impl Response {
    fn text(&self) -> *mut c_char {
        // SAFETY: an array of one response, since one was asked for.
        unsafe { self.0.as_ref() }.text
    }

    pub(crate) fn as_c_str(&self) -> &CStr {
        if self.text().is_null() {
            return c"";
        }
        // SAFETY: a C string that lives until this value is dropped.
        unsafe { CStr::from_ptr(self.text()) }
    }

    /// The text, without the NUL behind it.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.as_c_str().to_bytes()
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        let text = self.text();
        // SAFETY: both were allocated with malloc for us, and nobody uses them after this. The
        // text is a C string, so its length is known and its bytes may be written.
        unsafe {
            if !text.is_null() {
                std::slice::from_raw_parts_mut(text.cast::<u8>(), libc::strlen(text)).zeroize();
                libc::free(text.cast());
            }
            libc::free(self.0.as_ptr().cast());
        }
    }
}
