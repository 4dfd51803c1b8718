//! A Signer that tests/credentials controls, for what the command line cannot do.
//!
//! It reads commands from standard input, one JSON object per line. It prints each token or error
//! as a JSON object as soon as it has it. The Signer stays the same between commands, so a test can
//! change the answers of its source in between. The test also sets the clock: see support/clock.py.
//!
//! ```text
//! {"do": "find", "profile": "x"}             finds the keys of these options, without a Signer
//! {"do": "signer", "profile": "x"}           creates a Signer with these options
//! {"do": "token"}                            gets a token
//! {"do": "threads", "count": 64}             gets a token in each of 64 threads at once
//! {"do": "small"}                            gets a token in a thread with a stack of 128 KiB
//! {"do": "start"}                            starts a thread that gets a token, without waiting
//! {"do": "fork", "while_asking_us": 100}     gets one in a child, forked 100 µs after a thread asked
//! {"do": "async", "on": "plain", "count": 1} calls token_async on this kind of runtime
//! {"do": "inside", "on": "multi"}            calls token inside a runtime
//! ```

#![expect(clippy::unwrap_used, reason = "a panic fails the test that runs it")]
#![expect(unsafe_code, reason = "forks, and polls pipes")]

use std::fs::File;
use std::future::{Future, poll_fn};
use std::io::{self, BufRead, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant, UNIX_EPOCH};

use rdsign::{Error, Event, Signer, SignerBuilder, Token};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// How long a forked child may take. Longer than any timeout that a test sets.
const CHILD_MAY_TAKE: Duration = Duration::from_secs(90);

fn main() {
    let mut signer = None;
    let mut asking = Vec::new();
    for line in io::stdin().lock().lines() {
        let command: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if command["do"] == "find" {
            print(&find(&command));
            continue;
        }
        if command["do"] == "signer" {
            match build(&command) {
                Ok(built) => signer = Some(built),
                Err(error) => print(&describe(Err(error))),
            }
            continue;
        }
        asking.extend(carry_out(
            &command,
            signer.as_ref().expect("a signer first"),
        ));
    }
    for thread in asking {
        thread.join().unwrap();
    }
}

fn build(options: &Value) -> Result<Signer, Error> {
    let hostname = options["hostname"].as_str();
    sourced(options)
        .event_listener(hear)
        .hostname(hostname.unwrap_or("mydb.abc123.eu-central-1.rds.amazonaws.com"))
        .username("iam_user")
        .build()
}

/// The events since the last answer.
static HEARD: Mutex<Vec<Value>> = Mutex::new(Vec::new());

/// Not for threads: in a child that was forked, a lock that another thread held is never released.
fn hear(event: &Event) {
    if let Ok(mut heard) = HEARD.try_lock() {
        heard.push(json!({
            "name": event.kind.as_str(),
            "source": event.source,
            "text": event.to_string(),
            "debug": format!("{event:?}"),
        }));
    }
}

/// The keys themselves: a test has made them, and compares them.
fn find(options: &Value) -> Value {
    let found = catch_unwind(AssertUnwindSafe(|| sourced(options).find_credentials()));
    match found {
        Ok(Ok(found)) => json!({
            "source": found.source,
            "access_key_id": found.credentials.access_key_id(),
            "secret_access_key": found.credentials.secret_access_key(),
            "session_token": found.credentials.session_token(),
            "expires_at": found.expires_at().map(|time| {
                time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
            }),
        }),
        Ok(Err(error)) => describe(Err(error)),
        Err(_) => json!({"panicked": true}),
    }
}

/// A Signer's options, as far as they choose a source.
fn sourced(options: &Value) -> SignerBuilder {
    let text = |name: &str| options[name].as_str();
    let mut signer = Signer::builder();
    if let Some(region) = text("region") {
        signer = signer.region(region);
    }
    if let Some(profile) = text("profile") {
        signer = signer.profile(profile);
    }
    if let Some(role_arn) = text("role_arn") {
        signer = signer.role_arn(role_arn);
    }
    if let Some(external_id) = text("external_id") {
        signer = signer.external_id(external_id);
    }
    if let Some(name) = text("role_session_name") {
        signer = signer.role_session_name(name);
    }
    if let Some(seconds) = options["timeout"].as_f64() {
        signer = signer.credentials_timeout(Duration::from_secs_f64(seconds));
    }
    if let Some(seconds) = options["expires_in"].as_i64() {
        signer = signer.expires_in(seconds);
    }
    signer
}

/// Carries out a command. Returns the threads that still run afterwards.
fn carry_out(command: &Value, signer: &Signer) -> Vec<JoinHandle<()>> {
    let count = command["count"].as_u64().unwrap_or(1);
    match command["do"].as_str() {
        Some("token") => report("token", signer, || signer.token()),
        Some("threads") => {
            let together = Barrier::new(usize::try_from(count).unwrap());
            thread::scope(|scope| {
                for _ in 0..count {
                    scope.spawn(|| {
                        together.wait();
                        report("thread", signer, || signer.token());
                    });
                }
            });
        }
        Some("small") => thread::scope(|scope| {
            let small = thread::Builder::new().stack_size(128 << 10);
            let ask = || report("small", signer, || signer.token());
            small.spawn_scoped(scope, ask).unwrap();
        }),
        Some("start") => return vec![start(signer)],
        Some("fork") => fork(signer, command["while_asking_us"].as_u64()),
        Some("async") => match on(command) {
            Some(runtime) => runtime.block_on(call_together(signer, count, command)),
            None => block_on(call_together(signer, count, command)),
        },
        Some("inside") => {
            let runtime = on(command).expect("a runtime");
            report("inside", signer, || {
                runtime.block_on(async { signer.token() })
            });
        }
        _ => panic!("unknown command: {command}"),
    }
    Vec::new()
}

fn start(signer: &Signer) -> JoinHandle<()> {
    let signer = signer.clone();
    thread::spawn(move || report("started", &signer, || signer.token()))
}

/// Calls token_async `count` times at once. With `"meanwhile": true`, also reports when all calls
/// wait and the thread is free for other work.
async fn call_together(signer: &Signer, count: u64, command: &Value) {
    let calls = (0..count).map(|_| Box::pin(signer.token_async()));
    let mut calls: Vec<_> = calls.collect();
    let mut meanwhile = command["meanwhile"] == true;
    poll_fn(|context| {
        calls.retain_mut(|call| match call.as_mut().poll(context) {
            Poll::Ready(outcome) => {
                print(&complete(describe(outcome), "async", signer));
                false
            }
            Poll::Pending => true,
        });
        if std::mem::take(&mut meanwhile) {
            print(&json!({"from": "meanwhile"}));
        }
        if calls.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// Gets a token in a forked child; with a time, while another thread of the parent is getting one.
fn fork(signer: &Signer, while_asking_us: Option<u64>) {
    let asking = while_asking_us.map(|microseconds| {
        let asking = start(signer);
        let forked_at = Instant::now() + Duration::from_micros(microseconds);
        while Instant::now() < forked_at {
            thread::yield_now();
        }
        asking
    });
    let (mut reader, mut writer) = pipe();
    // SAFETY: the child uses the Signer as a forked worker does, which is what is tested. It takes
    // no lock that another thread of its parent can have held, such as that of standard output, and
    // exits without running the parent's exit handlers.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "{}", io::Error::last_os_error());
    if child == 0 {
        let answer = answer("child", signer, || signer.token());
        let written = writeln!(writer, "{answer}").is_ok();
        // SAFETY: _exit has no pointer arguments and does not return.
        unsafe { libc::_exit(i32::from(!written)) }
    }
    drop(writer);
    let mut ready = libc::pollfd {
        fd: reader.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    let bound = i32::try_from(CHILD_MAY_TAKE.as_millis()).unwrap();
    // SAFETY: one open descriptor, in a structure that outlives the call.
    let answers = unsafe { libc::poll(&mut ready, 1, bound) };
    if answers == 0 {
        // SAFETY: the process is a child of this one that was not waited for yet.
        unsafe { libc::kill(child, libc::SIGKILL) };
        print(&json!({"from": "child", "hung": true}));
    } else {
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        print(&serde_json::from_str(&text).unwrap_or(json!({"from": "child", "died": true})));
    }
    // SAFETY: the process is a child of this one; the status may be null.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    if let Some(asking) = asking {
        asking.join().unwrap();
    }
}

fn pipe() -> (File, File) {
    let mut ends = [0; 2];
    // SAFETY: the array has room for the two descriptors.
    assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
    // SAFETY: both descriptors are open, and only these files own them.
    unsafe { (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1])) }
}

/// Returns the runtime that a command names; `None` for `plain`.
fn on(command: &Value) -> Option<Runtime> {
    let mut builder = match command["on"].as_str() {
        Some("plain") => return None,
        Some("current") => tokio::runtime::Builder::new_current_thread(),
        Some("multi") => tokio::runtime::Builder::new_multi_thread(),
        _ => panic!("not a runtime: {command}"),
    };
    Some(builder.build().unwrap())
}

/// A minimal executor without tokio: polls, and sleeps until it is woken.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

fn report(from: &str, signer: &Signer, ask: impl FnOnce() -> Result<Token, Error>) {
    print(&answer(from, signer, ask));
}

fn answer(from: &str, signer: &Signer, ask: impl FnOnce() -> Result<Token, Error>) -> Value {
    let answer = match catch_unwind(AssertUnwindSafe(ask)) {
        Ok(outcome) => describe(outcome),
        Err(_) => json!({"panicked": true}),
    };
    complete(answer, from, signer)
}

/// Adds who asked, the events so far, and the debug output of the Signer.
fn complete(mut answer: Value, from: &str, signer: &Signer) -> Value {
    answer["from"] = from.into();
    if let Ok(mut heard) = HEARD.try_lock() {
        answer["events"] = std::mem::take(&mut *heard).into();
    }
    answer["signer"] = format!("{signer:?}").into();
    answer
}

fn describe(outcome: Result<Token, Error>) -> Value {
    match outcome {
        Ok(token) => {
            let expires_at = token.expires_at().duration_since(UNIX_EPOCH).unwrap();
            json!({
                "token": token.value(),
                "expires_at": expires_at.as_secs_f64(),
                "debug": format!("{token:?}"),
            })
        }
        Err(error) => json!({
            "code": error.code().as_str(),
            "message": error.message(),
            "debug": format!("{error:?}"),
        }),
    }
}

fn print(answer: &Value) {
    let mut output = io::stdout().lock();
    writeln!(output, "{answer}").unwrap();
}
