// Names the APIs of the model and of a second one. serve.py and a deployment write their own copies.

export const API_URL = "http://127.0.0.1:8000";
export const BESIDE_API_URL = "";
