export const echo = (request) => request;

export async function waits(request, response) {
    await response.write('waiting');
    await request.body();
}

export const env = () => String(process.env.COCAINE_BEGIN_PAGE);
