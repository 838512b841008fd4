def shout(request):
    return request.upper() + b"!"
