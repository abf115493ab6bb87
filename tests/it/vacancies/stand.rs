//! A host of feeds on loopback: says what it is told to say, and remembers what it was asked.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

#[derive(Clone)]
pub struct Stand {
    pub url: String,
    says: Arc<Mutex<Vec<u8>>>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Stand {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/feed", listener.local_addr().unwrap());
        let stand = Self {
            url,
            says: Arc::default(),
            heard: Arc::default(),
        };
        let (says, heard) = (stand.says.clone(), stand.heard.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut read = Vec::new();
                let mut byte = [0];
                while !read.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
                    read.push(byte[0]);
                }
                let request = String::from_utf8_lossy(&read).to_lowercase();
                heard.lock().unwrap().push(request);
                let answer = says.lock().unwrap().clone();
                // The other side may have heard enough.
                let _ = stream.write_all(&answer);
            }
        });
        stand
    }

    /// The whole answer, from its first line on.
    pub fn says(&self, head: &str, body: &str) {
        let answer = format!(
            "HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        *self.says.lock().unwrap() = answer.into_bytes();
    }

    /// An answer that ends before its length.
    pub fn breaks_off(&self, body: &str) {
        let length = body.len() + 100;
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
        *self.says.lock().unwrap() = answer.into_bytes();
    }

    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}
