/** Calls `done` once, when a response's body was read to its end or given up. A response without a body is done at once. */
export function whenRead(response: Response, done: () => void): Response {
  if (!response.body) {
    done();
    return response;
  }
  const reader = response.body.getReader();
  let over = false;
  const end = (): void => {
    if (over) return;
    over = true;
    done();
  };
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        const { done: last, value } = await reader.read();
        if (value) controller.enqueue(value);
        if (!last) return;
        end();
        controller.close();
      } catch (error) {
        end();
        controller.error(error);
      }
    },
    cancel: (reason) => {
      end();
      return reader.cancel(reason);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers });
}
