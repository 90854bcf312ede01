/** How wx functions answer: callbacks in the options, or a promise where the caller gave none. */

/** Make a wx function of `run(options)`, which returns (a promise of) the result or throws `{ errMsg }`. */
export function api(name, run) {
  return (options = {}) => {
    const work = Promise.resolve()
      .then(() => run(options))
      .then(
        (result) => ({ errMsg: `${name}:ok`, ...result }),
        (error) => { throw { ...(error.extra || {}), errMsg: `${name}:${error.errMsg || `fail ${error.message}`}` }; },
      );
    if (!options.success && !options.fail && !options.complete) return work;
    work.then(
      (result) => { options.success?.(result); options.complete?.(result); },
      (error) => { options.fail?.(error); options.complete?.(error); },
    );
    return undefined;
  };
}

/** A refusal as wx words it: `fail cancel`. */
export function refusal(reason) {
  return Object.assign(new Error(reason), { errMsg: `fail ${reason}` });
}
