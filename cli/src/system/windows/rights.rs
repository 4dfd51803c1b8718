//! Reads who can change a folder.

#![expect(unsafe_code, reason = "these are C functions")]

use std::ffi::c_void;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::Path;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{ERROR_SUCCESS, GENERIC_ALL, GENERIC_WRITE, LocalFree};
use windows_sys::Win32::Security::Authorization::{GetNamedSecurityInfoW, SE_FILE_OBJECT};
use windows_sys::Win32::Security::{
    ACCESS_ALLOWED_ACE, ACL, DACL_SECURITY_INFORMATION, EqualSid, GetAce, GetTokenInformation,
    IsWellKnownSid, OWNER_SECURITY_INFORMATION, PSID, TOKEN_QUERY, TOKEN_USER, TokenUser,
    WinBuiltinAdministratorsSid, WinCreatorOwnerRightsSid, WinCreatorOwnerSid, WinLocalSystemSid,
};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_ADD_FILE, FILE_ADD_SUBDIRECTORY, FILE_DELETE_CHILD, WRITE_DAC, WRITE_OWNER,
};
use windows_sys::Win32::System::SystemServices::{ACCESS_ALLOWED_ACE_TYPE, ACCESS_DENIED_ACE_TYPE};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

/// The rights to a folder that let a user change or replace one of its files.
const CHANGES: u32 = FILE_ADD_FILE
    | FILE_ADD_SUBDIRECTORY
    | FILE_DELETE_CHILD
    | DELETE
    | WRITE_DAC
    | WRITE_OWNER
    | GENERIC_WRITE
    | GENERIC_ALL;

/// Whether only this user, the system and the administrators own and can change a folder. Also counts
/// what files in it inherit.
pub(super) fn are_only_own(folder: &Path) -> io::Result<bool> {
    let name: Vec<u16> = folder.as_os_str().encode_wide().chain([0]).collect();
    let (mut owner, mut list, mut descriptor) = (null_mut(), null_mut(), null_mut());
    // SAFETY: the name ends with a NUL, and the pointers are written.
    let status = unsafe {
        GetNamedSecurityInfoW(
            name.as_ptr(),
            SE_FILE_OBJECT,
            OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
            &mut owner,
            null_mut(),
            &mut list,
            null_mut(),
            &mut descriptor,
        )
    };
    if status != ERROR_SUCCESS {
        return Err(io::Error::from_raw_os_error(status.cast_signed()));
    }
    let _freed = Descriptor(descriptor);
    let user = User::of_this_process()?;
    // SAFETY: the owner and the list are in the descriptor.
    unsafe { Ok(user.may(owner) && changes_only_by(&user, list)?) }
}

/// Whether each entry that allows changes is for `user`.
///
/// # Safety
/// `list` is null or valid.
unsafe fn changes_only_by(user: &User, list: *const ACL) -> io::Result<bool> {
    if list.is_null() {
        return Ok(false); // everyone has all rights
    }
    // SAFETY: the list is valid and has this number of entries. All kinds have the same header.
    unsafe {
        for index in 0..(*list).AceCount {
            let mut entry = null_mut();
            if GetAce(list, index.into(), &mut entry) == 0 {
                return Err(io::Error::last_os_error());
            }
            let entry = entry.cast::<ACCESS_ALLOWED_ACE>();
            let is_ours = match (*entry).Header.AceType.into() {
                ACCESS_DENIED_ACE_TYPE => true,
                ACCESS_ALLOWED_ACE_TYPE => {
                    (*entry).Mask & CHANGES == 0 || user.may((&raw mut (*entry).SidStart).cast())
                }
                _ => false, // entries with a condition, or for objects: not used for folders of a user
            };
            if !is_ours {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// This process's user: a TOKEN_USER and the SID that it points to, which has at most 68 bytes.
struct User([usize; 16]);

impl User {
    fn of_this_process() -> io::Result<Self> {
        let (mut token, mut user, mut size) = (null_mut(), Self([0; 16]), 0);
        // SAFETY: the token is a new handle, and the length is that of the array.
        let is_read = unsafe {
            if OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &mut token) == 0 {
                return Err(io::Error::last_os_error());
            }
            let token = OwnedHandle::from_raw_handle(token);
            let length = u32::try_from(size_of::<Self>()).unwrap_or(0);
            let place = user.0.as_mut_ptr().cast();
            GetTokenInformation(token.as_raw_handle(), TokenUser, place, length, &mut size)
        };
        match is_read {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(user),
        }
    }

    /// Whether this user, or one who can do everything anyway, has this SID.
    ///
    /// # Safety
    /// `sid` is valid.
    unsafe fn may(&self, sid: PSID) -> bool {
        let others = [
            WinLocalSystemSid,
            WinBuiltinAdministratorsSid,
            WinCreatorOwnerSid,
            WinCreatorOwnerRightsSid,
        ];
        // SAFETY: both SIDs are valid, and the array starts with a TOKEN_USER.
        unsafe {
            let own = (*self.0.as_ptr().cast::<TOKEN_USER>()).User.Sid;
            EqualSid(own, sid) != 0 || others.iter().any(|kind| IsWellKnownSid(sid, *kind) != 0)
        }
    }
}

struct Descriptor(*mut c_void);

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: the system allocated it for this process.
        unsafe { LocalFree(self.0) };
    }
}
