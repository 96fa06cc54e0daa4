//! wechat-simulator
