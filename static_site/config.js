// Says where the API is, and where that of a second model; serve.py answers with its own copy, and a deploy writes this file anew.

export const API_URL = "http://127.0.0.1:8000";
export const BESIDE_API_URL = "";
