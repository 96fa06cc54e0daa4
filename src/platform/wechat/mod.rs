//! WeChat's server API.
