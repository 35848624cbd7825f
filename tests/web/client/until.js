/** Wait until `check` says something true, looking `every` so many ms, or fail saying what was waited for. */
export async function until(check, ms = 30_000, every = 20) {
  const deadline = performance.now() + ms;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (performance.now() > deadline) throw new Error(`not in time: ${check}`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
