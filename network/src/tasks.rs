use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The tasks of a network: all of them end when it stops, and the last can be waited for.
#[derive(Debug)]
pub(crate) struct Tasks {
    stop: CancellationToken,
    running: watch::Sender<usize>,
}

impl Tasks {
    pub(crate) fn new(stop: CancellationToken) -> Self {
        Self {
            stop,
            running: watch::Sender::new(0),
        }
    }

    /// Runs a task until it ends or the network stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let running = Running::new(self.running.clone());
        let stop = self.stop.clone();
        tokio::spawn(async move {
            let _running = running;
            stop.run_until_cancelled(task).await;
        });
    }

    pub(crate) fn running(&self) -> usize {
        *self.running.borrow()
    }

    /// Waits until none is running.
    pub(crate) async fn ended(&self) {
        let mut running = self.running.subscribe();
        let ended = running.wait_for(|running| *running == 0).await;
        ended.expect("the sender is held here");
    }
}

/// Counts one task, however it ends.
struct Running(watch::Sender<usize>);

impl Running {
    fn new(count: watch::Sender<usize>) -> Self {
        count.send_modify(|running| *running += 1);
        Self(count)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running -= 1);
    }
}
