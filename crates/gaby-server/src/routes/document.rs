//! The API's own description.

use axum::Json;
use utoipa::openapi::OpenApi;

/// This document.
#[utoipa::path(get, path = "/api/openapi.json", tag = "status",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value)))]
pub(crate) async fn openapi_document() -> Json<OpenApi> {
    Json(crate::routes::openapi())
}
