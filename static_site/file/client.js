// Calls the desk, which holds the file in a worker.

import { Refusal } from "../rows/reading.js";

/**
 * @typedef {import("./desk.js").Desk} Desk
 * @typedef {{[Name in "open" | "look" | "begin" | "goOn" | "resume" | "pause" | "cancel" | "retry" | "leave" | "order"
 *   | "see" | "whole" | "figures" | "report" | "take" | "keep" | "unkeep"]:
 *   (...args: Parameters<Desk[Name]>) => Promise<Awaited<ReturnType<Desk[Name]>>>}} Calls
 * @typedef {{onProgress: (progress: import("./desk.js").Progress) => void, onUnkept: (detail: {full: boolean}) => void}} Ears
 */

/** A desk in a worker of its own. Each call is answered in order; `ears` hear its news. */
export class Client {
  /** @type {Map<number, {resolve: (result: any) => void, reject: (reason: Refusal) => void}>} */
  #open = new Map();
  #last = 0;
  #worker = new Worker(new URL("./desk_worker.js", import.meta.url));
  /** @type {Ears | null} */
  ears = null;

  constructor() {
    this.#worker.onmessage = ({ data }) => this.#take(data);
    this.#worker.onerror = () => this.#fail("unreadable");
  }

  /** The desk's own methods, answered later. @type {Calls} */
  desk = /** @type {any} */ (
    new Proxy(
      {},
      { get: (_, call) => (/** @type {any[]} */ ...args) => this.#call(String(call), args) },
    )
  );

  /** Ends the worker. Open calls are refused as stopped. */
  end() {
    this.#worker.terminate();
    this.#fail("stopped");
  }

  /** @param {string} call @param {any[]} args */
  #call(call, args) {
    const id = (this.#last += 1);
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
      this.#worker.postMessage({ id, call, args });
    });
  }

  /** @param {any} data */
  #take({ id, result, fault, news, detail }) {
    if (news === "progress") return this.ears?.onProgress(detail);
    if (news === "unkept") return this.ears?.onUnkept(detail);
    const waiting = this.#open.get(id);
    this.#open.delete(id);
    if (fault) waiting?.reject(new Refusal(fault.code, fault.numbers));
    else waiting?.resolve(result);
  }

  /** @param {string} code */
  #fail(code) {
    for (const { reject } of this.#open.values()) reject(new Refusal(code));
    this.#open.clear();
  }
}
