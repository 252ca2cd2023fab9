//! What the scenarios share.

pub mod chain;
pub mod cluster;
pub mod drawing;
pub mod random;
pub mod replay;
pub mod rng;
pub mod view;

pub use chain::check_agreement;
pub use cluster::Cluster;
pub use drawing::Drawing;
pub use rng::Rng;
pub use view::View;
