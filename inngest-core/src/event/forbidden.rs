//! Why a type may not stand in a dedup id: a sentence for each kind people try.
