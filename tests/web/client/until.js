/** Wait until `check` says something true, or fail saying what was waited for. */
export async function until(check, ms = 10_000) {
  const deadline = performance.now() + ms;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (performance.now() > deadline) throw new Error(`not in time: ${check}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
