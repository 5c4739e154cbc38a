// Waits for modules that are loaded late, and explains errors by words that are loaded late too.

import { ApiError } from "../api.js";
import { offline, unloaded } from "../shared/strings.js";

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

/** Turns an error of our own into an ApiError. @param {unknown} error */
export function asApiError(error) {
  if (error instanceof ApiError) return error;
  console.error(error);
  return new ApiError({ code: "page_fault" });
}

/**
 * Explains an error in words.
 * @param {unknown} error
 * @param {string} url the API's
 * @returns {Promise<{title: string, advice: string}>}
 */
export async function explained(error, url) {
  const known = asApiError(error);
  try {
    const { explain } = await import("../shared/failure_strings.js");
    return explain(known, url);
  } catch {
    return navigator.onLine ? unloaded : offline;
  }
}
