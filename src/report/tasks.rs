//! What a command does at once, one line for each task, live on a terminal.
//!
//! For commands that are no run of the engine. On a terminal the lines move
//! until [`Tasks::finish`] and then stand; elsewhere each task is one plain
//! line when it ends. Everything goes to standard error. With `--output json`
//! and `quiet` nothing is said.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use console::Term;

use super::layout::{Line, Page};
use super::screen::Screen;
use super::styles::Role;
use super::{Output, OutputMode};
use crate::model::text::duration;

/// How wide names are where lines come one by one.
const PLAIN_NAMES: usize = 10;
/// How often lines are drawn again.
const FRAME: Duration = Duration::from_millis(100);

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskEnd {
    /// As it should.
    Done,
    /// With something to look at.
    Warned,
    /// It failed.
    Failed,
}

/// The tasks of a command. Every call returns at once.
pub(crate) struct Tasks {
    sender: Mutex<Option<Sender<Told>>>,
    painter: Mutex<Option<JoinHandle<()>>>,
}

/// What the painter is told.
enum Told {
    Begins { task: String },
    Progress { task: String, doing: String, done: Option<u64>, expected: Option<u64> },
    Ends { task: String, end: TaskEnd, summary: String },
}

impl Tasks {
    /// Shows tasks as the output wants it.
    pub(crate) fn new(output: Output) -> Self {
        let (terminal, page) = output.talk();
        let painter: Option<Box<dyn Paint>> = match output.mode {
            OutputMode::Live => {
                Some(Box::new(LivePaint { screen: Screen::new(Term::buffered_stderr()), page, frame: 0 }))
            }
            OutputMode::Plain => Some(Box::new(PlainPaint { terminal, page })),
            OutputMode::Json | OutputMode::Quiet => None,
        };
        Self::with(painter)
    }

    fn with(painter: Option<Box<dyn Paint>>) -> Self {
        let Some(painter) = painter else {
            return Self { sender: Mutex::new(None), painter: Mutex::new(None) };
        };
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new().name("tasks".to_owned());
        // Without a thread the work goes on and nobody watches.
        let painter = thread.spawn(move || paint(&receiver, painter)).ok();
        Self { sender: Mutex::new(Some(sender)), painter: Mutex::new(painter) }
    }

    /// A task begins; its name is its place.
    pub(crate) fn begin(&self, task: &str) {
        self.tell(Told::Begins { task: task.to_owned() });
    }

    /// A task is at something.
    pub(crate) fn progress(&self, task: &str, doing: &str, done: Option<u64>, expected: Option<u64>) {
        self.tell(Told::Progress { task: task.to_owned(), doing: doing.to_owned(), done, expected });
    }

    /// A task ended, with a few words about what came out.
    pub(crate) fn end(&self, task: &str, end: TaskEnd, summary: &str) {
        self.tell(Told::Ends { task: task.to_owned(), end, summary: summary.to_owned() });
    }

    /// Draws the last frame and leaves it; later calls say nothing.
    pub(crate) fn finish(&self) {
        drop(lock(&self.sender).take());
        if let Some(painter) = lock(&self.painter).take() {
            let _ = painter.join();
        }
    }

    fn tell(&self, told: Told) {
        if let Some(sender) = lock(&self.sender).as_ref() {
            let _ = sender.send(told);
        }
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Locks what no panic can leave in a bad state.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Task {
    name: String,
    begun: Instant,
    doing: String,
    count: Option<(u64, u64)>,
    ended: Option<(TaskEnd, String, Duration)>,
}

trait Paint: Send {
    /// Shows where the tasks are; `ended` is the one that just did.
    fn paint(&mut self, tasks: &[Task], ended: Option<&Task>);
    /// Nothing comes any more.
    fn leave(&mut self, tasks: &[Task]);
}

fn paint(receiver: &Receiver<Told>, mut painter: Box<dyn Paint>) {
    let mut tasks: Vec<Task> = Vec::new();
    loop {
        match receiver.recv_timeout(FRAME) {
            Ok(told) => {
                let ended = take(&mut tasks, told);
                if ended.is_some() {
                    painter.paint(&tasks, ended.map(|index| &tasks[index]));
                }
            }
            Err(RecvTimeoutError::Timeout) => painter.paint(&tasks, None),
            Err(RecvTimeoutError::Disconnected) => return painter.leave(&tasks),
        }
    }
}

/// Takes what was told; gives the task that ended by it.
fn take(tasks: &mut Vec<Task>, told: Told) -> Option<usize> {
    let (Told::Begins { task } | Told::Progress { task, .. } | Told::Ends { task, .. }) = &told;
    let index = tasks.iter().position(|known| known.name == *task).unwrap_or_else(|| {
        let (doing, begun) = (String::new(), Instant::now());
        tasks.push(Task { name: task.clone(), begun, doing, count: None, ended: None });
        tasks.len() - 1
    });
    let known = &mut tasks[index];
    match told {
        Told::Begins { .. } => None,
        Told::Progress { doing, done, expected, .. } => {
            known.doing = doing;
            known.count = done.zip(expected).filter(|(_, expected)| *expected > 0);
            None
        }
        Told::Ends { end, summary, .. } => {
            known.ended = Some((end, summary, known.begun.elapsed()));
            Some(index)
        }
    }
}

/// `✓ build     12 s  5 derivations`, or what it is doing.
fn line(task: &Task, names: usize, page: Page, frame: usize) -> Line {
    let (role, sign) = match &task.ended {
        None => (Role::Dim, page.styles().spinner(frame)),
        Some((TaskEnd::Done, ..)) => (Role::Ok, "✓"),
        Some((TaskEnd::Warned, ..)) => (Role::Warning, "!"),
        Some((TaskEnd::Failed, ..)) => (Role::Error, "✗"),
    };
    let elapsed = task.ended.as_ref().map_or_else(|| task.begun.elapsed(), |(.., elapsed)| *elapsed);
    let mut line = Line::new().with(role, sign).with(Role::Plain, " ");
    line.append(Line::new().with(Role::Strong, &task.name).padded(names + 2));
    line.append(Line::new().with(Role::Dim, &duration(elapsed)).padded(8));
    match (&task.ended, task.count) {
        (Some((_, summary, _)), _) => line.push(Role::Plain, summary),
        (None, Some((done, expected))) => line.push(Role::Plain, &format!("{done}/{expected} {}", task.doing)),
        (None, None) => line.push(Role::Plain, &task.doing),
    }
    line
}

fn lines(tasks: &[Task], page: Page, frame: usize, width: usize) -> Vec<String> {
    let names = tasks.iter().map(|task| Line::plain(&task.name).width()).max().unwrap_or_default().min(24);
    let lines = tasks.iter().map(|task| page.fit(line(task, names, page, frame), width));
    lines.map(|line| page.render(&line)).collect()
}

struct LivePaint {
    screen: Screen,
    page: Page,
    frame: usize,
}

impl LivePaint {
    fn lines(&self, tasks: &[Task]) -> Vec<String> {
        lines(tasks, self.page, self.frame, self.screen.size().columns.saturating_sub(1).max(1))
    }
}

impl Paint for LivePaint {
    fn paint(&mut self, tasks: &[Task], _ended: Option<&Task>) {
        let mut block = self.lines(tasks);
        // More tasks than rows: the last ones are those that move.
        let hidden = block.len().saturating_sub(self.screen.size().rows.saturating_sub(1).max(1));
        block.drain(..hidden);
        self.screen.draw(&[], &block);
        self.frame += 1;
    }

    fn leave(&mut self, tasks: &[Task]) {
        let mut left = self.lines(tasks);
        // What follows is something else.
        left.push(String::new());
        self.screen.draw(&left, &[]);
    }
}

struct PlainPaint<W> {
    terminal: W,
    page: Page,
}

impl<W: std::io::Write + Send> Paint for PlainPaint<W> {
    fn paint(&mut self, _tasks: &[Task], ended: Option<&Task>) {
        let Some(task) = ended else { return };
        let line = line(task, PLAIN_NAMES, self.page, 0);
        // Where standard error is gone there is nobody left to tell.
        let _ = writeln!(self.terminal, "{}", self.page.render(&line));
    }

    fn leave(&mut self, _tasks: &[Task]) {}
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use indicatif::InMemoryTerm;

    use super::*;
    use crate::report::layout::page;
    use crate::report::story::NASTY;

    fn without_times(text: &str) -> String {
        text.replace("0.0 s", "T")
    }

    #[test]
    fn tasks_stand_below_each_other_until_the_end() {
        let terminal = InMemoryTerm::new(20, 60);
        let painter = LivePaint { screen: Screen::new(terminal.clone()), page: page(60), frame: 0 };
        let tasks = Tasks::with(Some(Box::new(painter)));
        tasks.begin("inputs");
        tasks.progress("build", "building nginx", Some(1), Some(4));
        tasks.end("inputs", TaskEnd::Done, "2 move");
        tasks.end("p620", TaskEnd::Warned, &format!("not reached {NASTY}"));
        tasks.finish();
        tasks.end("p620", TaskEnd::Failed, "too late");
        let text = without_times(&terminal.contents());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["✓", "inputs", "T", "2", "move"]);
        assert!(lines[1].contains("build") && lines[1].contains("1/4 building nginx"), "{text}");
        assert!(lines[2].starts_with("! p620") && !text.contains("too late"), "{text}");
        assert!(!text.replace('\n', "").contains(char::is_control), "{text:?}");
    }

    /// Keeps what is written.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            lock(&self.0).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn without_a_terminal_each_task_is_a_line_when_it_ends() {
        let kept = Kept::default();
        let tasks = Tasks::with(Some(Box::new(PlainPaint { terminal: kept.clone(), page: page(80) })));
        tasks.begin("inputs");
        tasks.progress("inputs", "fetching", None, None);
        tasks.end("inputs", TaskEnd::Failed, "nixpkgs");
        tasks.finish();
        let text = String::from_utf8(lock(&kept.0).clone()).unwrap();
        assert_eq!(text.lines().count(), 1);
        assert!(text.starts_with("✗ inputs") && text.ends_with("nixpkgs\n"), "{text}");
    }
}
