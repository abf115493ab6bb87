//! A full disk, a disk that fails, a locked database, a PostgreSQL that goes away: never a 200 without a
//! row, and ten seconds after the fault is over everything works again, without a restart.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sqlx::{Connection as _, Executor as _, SqliteConnection};
use tempfile::TempDir;

use crate::support::database::Database;
use crate::support::graph::{GraphStandIn, Webhook};
use crate::support::house::{House, environment, number};
use crate::support::running::Running;
use crate::support::wait::{between_looks, drained};

const NUMBER: &str = "+31612345678";
const WAITING: &str = "SELECT CAST((SELECT COUNT(*) FROM raw_bodies WHERE state = 'new') + (SELECT COUNT(*) FROM inbox WHERE state = 'new') AS BIGINT)";

/// The binary, somebody who writes to it, and what it answered.
struct Post {
    running: Running,
    graph: GraphStandIn,
    database: Database,
    environment: Vec<(String, String)>,
    /// What got its 200, and what did not.
    thanked: usize,
    owed: Vec<Webhook>,
    /// Added to each text, so that a full disk is soon full.
    weight: usize,
}

impl Post {
    async fn open(database: Database, more: &[(&str, String)]) -> Self {
        let house = House::new(database).await;
        house.candidate("Samira", NUMBER, true).await;
        let House {
            app,
            graph,
            database,
            ..
        } = house;
        app.store.close().await;
        drop(app);
        let mut environment = environment(&database, &graph.base_url);
        for (name, value) in more {
            environment.push(((*name).to_owned(), value.clone()));
        }
        let running = Running::serve(&environment, None);
        let mut post = Self {
            running,
            graph,
            database,
            environment,
            thanked: 0,
            owed: Vec::new(),
            weight: 10,
        };
        for _ in 0..3 {
            assert_eq!(post.letters(1).await, [Some(200)]);
        }
        post
    }

    /// So many webhooks at once; what they were answered.
    async fn letters(&mut self, count: usize) -> Vec<Option<u16>> {
        let webhooks: Vec<Webhook> = (0..count)
            .map(|_| {
                let text = "hallo ".repeat(self.weight);
                self.graph.webhook_text(NUMBER, "Samira", &text)
            })
            .collect();
        let answers = join_all(webhooks.iter().map(|one| self.running.deliver(one))).await;
        for (webhook, answer) in webhooks.into_iter().zip(&answers) {
            match answer {
                Some(200) => self.thanked += 1,
                _ => self.owed.push(webhook),
            }
        }
        answers
    }

    /// Webhooks until one is refused as it should be.
    async fn is_refused(&mut self) {
        for _ in 0..400 {
            match self.letters(1).await[0] {
                Some(200) => {}
                answer => return assert_eq!(answer, Some(503)),
            }
        }
        panic!("nothing was refused");
    }

    /// The fault is over: how long until a webhook is taken and the watcher's page is content.
    async fn comes_back(&mut self) -> Duration {
        let since = Instant::now();
        while self.letters(1).await != [Some(200)] || self.ready().await != 200 {
            assert!(
                since.elapsed() < Duration::from_secs(10),
                "not back in time"
            );
            between_looks().await;
        }
        since.elapsed()
    }

    async fn ready(&self) -> u16 {
        let asked = self.running.client.get(self.running.url("/health/ready"));
        asked.send().await.unwrap().status().as_u16()
    }

    /// Killed and started again: what was thanked for is there. Then the provider brings the rest, and
    /// each is there once.
    async fn closes(self, what: &str, back: Duration) {
        let Self {
            running,
            database,
            environment,
            owed,
            thanked,
            ..
        } = self;
        running.signal("KILL");
        drop(running);
        let running = Running::serve(&environment, None);
        assert_eq!(drained(&database, WAITING, 5).await, Ok(()));
        let all = "SELECT COUNT(*) FROM incoming";
        let there = number(&database, all).await;
        let there = usize::try_from(there).unwrap();
        assert!((thanked..=thanked + owed.len()).contains(&there), "{there}");
        for webhook in &owed {
            assert_eq!(running.deliver(webhook).await, Some(200));
        }
        assert_eq!(drained(&database, WAITING, 5).await, Ok(()));
        let whole = usize::try_from(number(&database, all).await).unwrap();
        assert_eq!(whole, thanked + owed.len(), "each once");
        println!(
            "{what}: {thanked} thanked for and there, {} refused, back in {back:.1?}",
            owed.len()
        );
        running.stop();
    }
}

/// The shim of `disk.c`, for a database in this folder; its control, and where both are.
fn failing_disk(folder: &Path) -> (Vec<(&'static str, String)>, PathBuf, TempDir) {
    let home = tempfile::tempdir().unwrap();
    let library = home.path().join("disk.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/hard/disk.c");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .status()
        .expect("a C compiler (cc) is needed for a disk that fails");
    assert!(built.success());
    let control = home.path().join("control");
    let variables = vec![
        ("LD_PRELOAD", library.display().to_string()),
        ("DISK_FOLDER", folder.display().to_string()),
        ("DISK_CONTROL", control.display().to_string()),
    ];
    (variables, control, home)
}

/// A small disk of its own, as long as this lives.
struct Small(PathBuf);

impl Small {
    /// Nothing where mounting is not permitted.
    fn mount(at: &Path) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=12m", "tmpfs"])
            .arg(at)
            .stderr(Stdio::null())
            .status();
        mount
            .is_ok_and(|done| done.success())
            .then(|| Self(at.to_owned()))
    }

    /// Takes all room that is left.
    fn fill(&self) -> PathBuf {
        let ballast = self.0.join("ballast");
        let mut file = fs::File::create(&ballast).unwrap();
        while std::io::Write::write_all(&mut file, &[7; 4096]).is_ok() {}
        ballast
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_goes_on_when_there_is_room() {
    let mut database = Database::sqlite();
    let folder = database.folder.path().join("small");
    let small = Small::mount(&folder);
    database.url = format!("sqlite://{}", folder.join("tussendoor.db").display());
    let Some(small) = small else {
        println!("mounting is not permitted here: a preloaded library says that the disk is full");
        let (variables, control, _home) = failing_disk(&folder);
        let mut post = Post::open(database, &variables).await;
        fs::write(&control, "1 0 28").unwrap();
        post.is_refused().await;
        fs::remove_file(&control).unwrap();
        let back = post.comes_back().await;
        return post.closes("a disk that says it is full", back).await;
    };
    let mut post = Post::open(database, &[]).await;
    post.weight = 10_000;
    let ballast = small.fill();
    post.is_refused().await;
    assert!(post.letters(8).await.iter().all(|one| *one != Some(200)));
    fs::remove_file(ballast).unwrap();
    post.weight = 10;
    let back = post.comes_back().await;
    post.closes("a full disk", back).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fails_at_any_call_costs_no_webhook() {
    let database = Database::sqlite();
    let (variables, control, _home) = failing_disk(database.folder.path());
    let mut post = Post::open(database, &variables).await;
    let mut longest = Duration::ZERO;
    let mut refused = 0;
    for call in [1, 2, 3, 4, 5, 7, 9, 12] {
        // EIO, at three calls in a row: the disk fails, and with it the first tries to recover.
        fs::write(&control, format!("{call} 3 5")).unwrap();
        let answers = post.letters(12).await;
        refused += answers.iter().filter(|one| **one == Some(503)).count();
        fs::remove_file(&control).unwrap();
        longest = longest.max(post.comes_back().await);
    }
    assert!(refused > 0, "the disk never failed");
    fs::write(&control, "1 0 5").unwrap();
    post.is_refused().await;
    assert!(post.letters(8).await.iter().all(|one| *one != Some(200)));
    fs::remove_file(&control).unwrap();
    longest = longest.max(post.comes_back().await);
    post.closes("a disk that fails at the k-th call", longest)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_database_refuses_and_goes_on_when_it_is_free() {
    let mut post = Post::open(Database::sqlite(), &[]).await;
    let mut other = SqliteConnection::connect(&post.database.url).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let answers = post.letters(8).await;
    assert_eq!(answers, [Some(503); 8]);
    other.execute("ROLLBACK").await.unwrap();
    other.close().await.unwrap();
    let back = post.comes_back().await;
    post.closes("a locked database", back).await;
}

/// A PostgreSQL of this test's own.
struct Server {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Server {
    fn new() -> Self {
        let programs = glob("/usr/lib/postgresql")
            .into_iter()
            .map(|version| version.join("bin"))
            .chain(["/usr/pgsql/bin".into(), "/usr/local/bin".into()])
            .find(|folder| folder.join("initdb").exists())
            .expect("PostgreSQL's own programs (initdb, postgres) are needed to stop and start it");
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut server = Self {
            programs,
            folder,
            port,
            child: None,
        };
        if let Some((user, group)) = server.somebody() {
            std::os::unix::fs::chown(server.folder.path(), Some(user), Some(group)).unwrap();
        }
        let mut initdb = server.program("initdb");
        initdb.args([
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-sync",
        ]);
        assert!(initdb.stdout(Stdio::null()).status().unwrap().success());
        server.start();
        server
    }

    /// PostgreSQL does not run as root: whom it runs as then.
    fn somebody(&self) -> Option<(u32, u32)> {
        use std::os::unix::fs::MetadataExt as _;
        let me = fs::metadata("/proc/self").unwrap().uid();
        let users = fs::read_to_string("/etc/passwd").unwrap();
        let user = ["postgres", "nobody"].iter().find_map(|name| {
            let line = users
                .lines()
                .find(|line| line.starts_with(&format!("{name}:")))?;
            let parts: Vec<&str> = line.split(':').collect();
            Some((parts[2].parse().ok()?, parts[3].parse().ok()?))
        });
        (me == 0).then(|| user.expect("PostgreSQL needs a user postgres or nobody"))
    }

    fn program(&self, name: &str) -> Command {
        use std::os::unix::process::CommandExt as _;
        let mut command = Command::new(self.programs.join(name));
        command.arg("-D").arg(self.folder.path().join("data"));
        command.current_dir("/").stderr(Stdio::null());
        if let Some((user, group)) = self.somebody() {
            command.uid(user).gid(group);
        }
        command
    }

    fn start(&mut self) {
        let mut postgres = self.program("postgres");
        postgres.args([
            "-p",
            &self.port.to_string(),
            "-c",
            "listen_addresses=127.0.0.1",
        ]);
        postgres
            .args(["-c", "unix_socket_directories="])
            .stdout(Stdio::null());
        self.child = Some(postgres.spawn().unwrap());
    }

    /// At once, as in a crash: what is committed comes back by its log.
    fn crash(&mut self) {
        let mut child = self.child.take().unwrap();
        let id = child.id().to_string();
        let told = Command::new("kill").args(["-QUIT", &id]).status().unwrap();
        assert!(told.success());
        child.wait().unwrap();
    }

    async fn database(&self) -> Database {
        let url = format!("postgres://postgres@127.0.0.1:{}/postgres", self.port);
        let until = Instant::now() + Duration::from_secs(20);
        while sqlx::PgConnection::connect(&url).await.is_err() {
            assert!(Instant::now() < until, "PostgreSQL does not start");
            between_looks().await;
        }
        Database::at(url, tempfile::tempdir().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.crash();
        }
    }
}

fn glob(folder: &str) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_goes_away_refuses_and_goes_on_when_it_is_back() {
    let mut server = Server::new();
    let mut post = Post::open(server.database().await, &[]).await;
    server.crash();
    let answers = post.letters(8).await;
    assert_eq!(answers, [Some(503); 8]);
    assert_eq!(post.ready().await, 503);
    server.start();
    let back = post.comes_back().await;
    post.closes("a PostgreSQL that went away", back).await;
}
