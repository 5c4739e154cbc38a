// Waits for modules that are loaded late.

import { ApiError } from "../api.js";

/**
 * Returns a module once it has loaded.
 * @template Module
 * @param {Promise<Module>} module
 * @throws {ApiError} unloaded, or offline
 */
export async function arrived(module) {
  try {
    return await module;
  } catch {
    throw new ApiError({ code: navigator.onLine ? "unloaded" : "offline" });
  }
}
