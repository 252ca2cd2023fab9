//! Sets of named things as bits of a number. Bits and names are stable.

/// An enum with a bit and a name for each of its values, and the type of their sets, in JSON a list of names.
macro_rules! bit_set {
    (
        $(#[$one_doc:meta])*
        $one:ident,
        $(#[$set_doc:meta])*
        $set:ident,
        $($(#[$doc:meta])* $name:ident = $bit:literal, $text:literal;)*
    ) => {
        $(#[$one_doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum $one {
            $($(#[$doc])* $name = $bit,)*
        }

        impl $one {
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name in JSON and on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What it counts in a set's number.
            pub fn bit(self) -> u32 {
                1 << self as u32
            }
        }

        $(#[$set_doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(value_type = Vec<$one>))]
        pub struct $set(u32);

        impl $set {
            pub fn has(self, one: $one) -> bool {
                self.0 & one.bit() != 0
            }

            pub fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// Ascending by bit.
            pub fn iter(self) -> impl Iterator<Item = $one> {
                let all = $one::ALL.iter().copied();
                all.filter(move |one| self.has(*one))
            }

            /// The number on the wire.
            pub fn bits(self) -> u32 {
                self.0
            }

            /// Reads the number on the wire.
            ///
            /// # Errors
            /// With the bits that are not known.
            pub fn from_bits(bits: u32) -> Result<Self, u32> {
                let known = Self::from_iter($one::ALL.iter().copied());
                match bits & !known.0 {
                    0 => Ok(Self(bits)),
                    unknown => Err(unknown),
                }
            }
        }

        impl FromIterator<$one> for $set {
            fn from_iter<I: IntoIterator<Item = $one>>(all: I) -> Self {
                let all = all.into_iter();
                Self(all.fold(0, |bits, one| bits | one.bit()))
            }
        }

        impl Serialize for $set {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(self.iter())
            }
        }

        impl<'de> Deserialize<'de> for $set {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Vec::<$one>::deserialize(from).map(Self::from_iter)
            }
        }
    };
}

pub(super) use bit_set;
