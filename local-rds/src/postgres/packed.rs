//! A data folder in one file, which is faster to copy than a folder.
//!
//! Each content is there once: the databases of a new data folder consist mostly of the same files. Zeros
//! at the end of a file are left out, and become a hole when it is unpacked. Numbers have 8 bytes, the
//! lowest first; a text is its length and its bytes. The file is
//!
//! - its length, and the text that says what it was made from,
//! - for each folder and file: its path, its size, and the start and the length of its content. A folder
//!   has the size [`FOLDER`]. An empty path ends the list,
//! - the contents.

use std::collections::HashMap;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::folder::regular;

const FOLDER: u64 = u64::MAX;

/// Packs a folder of regular files and folders.
pub(super) fn pack(folder: &Path, origin: &str) -> io::Result<Vec<u8>> {
    let mut packer = Packer::default();
    packer.add_folder(folder, Path::new(""))?;
    let mut packed = Vec::new();
    put_text(&mut packed, origin.as_bytes());
    packed.extend(packer.list);
    put_text(&mut packed, b"");
    packed.extend(packer.contents);
    let length = 8 + packed.len() as u64;
    Ok([length.to_le_bytes().as_slice(), &packed].concat())
}

#[derive(Default)]
struct Packer {
    list: Vec<u8>,
    contents: Vec<u8>,
    /// Where each content starts.
    starts: HashMap<Vec<u8>, usize>,
}

impl Packer {
    fn add_folder(&mut self, folder: &Path, path: &Path) -> io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let (from, path) = (entry.path(), path.join(entry.file_name()));
            put_text(&mut self.list, path.as_os_str().as_bytes());
            if entry.file_type()?.is_dir() {
                self.put([FOLDER, 0, 0]);
                self.add_folder(&from, &path)?;
            } else {
                let mut content = Vec::new();
                regular::open(OpenOptions::new().read(true), &from)?.read_to_end(&mut content)?;
                self.add_content(content);
            }
        }
        Ok(())
    }

    fn add_content(&mut self, mut content: Vec<u8>) {
        let size = content.len();
        let last = content.iter().rposition(|byte| *byte != 0);
        content.truncate(last.map_or(0, |last| last + 1));
        let length = content.len();
        let end = self.contents.len();
        let contents = &mut self.contents;
        let start = match self.starts.get(&content) {
            Some(start) => *start,
            None => {
                contents.extend(&content);
                self.starts.insert(content, end);
                end
            }
        };
        self.put([size as u64, start as u64, length as u64]);
    }

    fn put(&mut self, numbers: [u64; 3]) {
        self.list.extend(numbers.map(u64::to_le_bytes).concat());
    }
}

fn put_text(packed: &mut Vec<u8>, text: &[u8]) {
    packed.extend((text.len() as u64).to_le_bytes());
    packed.extend(text);
}

/// Creates the folder `target` from what [`pack`] returned. If it fails, there may be a part of it.
///
/// # Errors
/// Something is missing, or it was made from something else.
pub(super) fn unpack(packed: &[u8], origin: &str, target: &Path) -> io::Result<()> {
    let mut reader = Reader(packed);
    if reader.number()? != packed.len() as u64 || reader.text()? != origin.as_bytes() {
        return Err(ErrorKind::InvalidData.into());
    }
    let list = Reader(reader.0);
    while !reader.text()?.is_empty() {
        reader.take(3 * 8)?;
    }
    let contents = reader.0;
    let mut folders = DirBuilder::new();
    folders.mode(0o700).create(target)?;
    let mut reader = list;
    loop {
        let path = reader.text()?;
        if path.is_empty() {
            return Ok(());
        }
        let path = target.join(std::ffi::OsStr::from_bytes(path));
        let [size, start, length] = [reader.number()?, reader.number()?, reader.number()?];
        if size == FOLDER {
            folders.create(path)?;
            continue;
        }
        let mut content = Reader(contents);
        content.take(start)?;
        let mut new = OpenOptions::new();
        let mut file = new.write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(content.take(length)?)?;
        if size > length {
            file.set_len(size)?;
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: u64) -> io::Result<&'a [u8]> {
        let length = usize::try_from(length).map_err(|_| ErrorKind::InvalidData)?;
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(ErrorKind::InvalidData)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> io::Result<u64> {
        let bytes = self
            .take(8)?
            .try_into()
            .map_err(|_| ErrorKind::InvalidData)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn text(&mut self) -> io::Result<&'a [u8]> {
        let length = self.number()?;
        self.take(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<(&'static str, Vec<u8>)> {
        let names = ["a", "base/1/b", "base/2/b", "base/2/empty", "wal"];
        names
            .map(|name| (name, std::fs::read(folder.join(name)).unwrap()))
            .to_vec()
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        for name in ["base/1", "base/2", "nothing"] {
            std::fs::create_dir_all(path.join(name)).unwrap();
        }
        let wal = [vec![7; 10], vec![0; 1 << 20]].concat();
        for (name, content) in [
            ("a", b"a".as_slice()),
            ("base/1/b", &[1; 1000]),
            ("base/2/b", &[1; 1000]),
            ("base/2/empty", b""),
            ("wal", &wal),
        ] {
            std::fs::write(path.join(name), content).unwrap();
        }
        folder
    }

    #[test]
    fn a_packed_folder_is_unpacked_as_it_was() {
        let (folder, target) = (folder(), tempfile::tempdir().unwrap());
        let packed = pack(folder.path(), "origin").unwrap();
        assert!(packed.len() < 2000, "content is there twice, or zeros are");
        let target = target.path().join("new");
        unpack(&packed, "origin", &target).unwrap();
        assert_eq!(files(&target), files(folder.path()));
        assert!(target.join("nothing").is_dir());
    }

    #[test]
    fn a_packed_folder_that_is_cut_or_made_from_something_else_is_refused() {
        let (folder, target) = (folder(), tempfile::tempdir().unwrap());
        let packed = pack(folder.path(), "origin").unwrap();
        let target = target.path().join("new");
        for end in 0..packed.len() {
            assert!(unpack(&packed[..end], "origin", &target).is_err(), "{end}");
        }
        assert!(unpack(&packed, "other", &target).is_err());
        assert!(!target.exists());
    }
}
