//! Where the bytes of pictures lie: a folder today, any object store tomorrow.

use std::path::Path;

use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt};

/// A store of immutable byte strings by name.
pub struct Blobs(Box<dyn ObjectStore>);

impl Blobs {
    /// A store in a folder, which is made if need be.
    pub fn open(folder: &Path) -> Result<Self, object_store::Error> {
        // LocalFileSystem reports a folder that is missing; making it is the only part it leaves to us.
        if let Err(source) = std::fs::create_dir_all(folder) {
            return Err(object_store::Error::Generic { store: "LocalFileSystem", source: Box::new(source) });
        }
        Ok(Self(Box::new(LocalFileSystem::new_with_prefix(folder)?)))
    }

    /// Stores bytes under a name.
    pub async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), object_store::Error> {
        self.0.put(&Key::from(name), bytes.into()).await.map(drop)
    }

    /// The bytes, or nothing under that name.
    pub async fn get(&self, name: &str) -> Result<Option<actix_web::web::Bytes>, object_store::Error> {
        match self.0.get(&Key::from(name)).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Forgets a name; one that is not there is no error.
    pub async fn delete(&self, name: &str) -> Result<(), object_store::Error> {
        match self.0.delete(&Key::from(name)).await {
            Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
